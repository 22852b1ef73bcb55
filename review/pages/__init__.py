"""The light table: a page for each episode and sequence, and the pieces that its script fetches."""
