"""Storyboards: what comes in, is looked over as a draft, and becomes plans with their panels."""
