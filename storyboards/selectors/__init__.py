"""Reads over storyboards: what is known of an episode's plans, and drafts as they are told."""
