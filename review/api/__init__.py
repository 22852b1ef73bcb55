"""The HTTP API of the review: decisions in, all of them or none; and what was decided."""
