"""The technical director's door: commands."""
