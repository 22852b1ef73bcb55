"""The use cases of the review."""
