"""The HTTP API of the storyboards: a file in, its boards as a draft, one act that makes plans."""
