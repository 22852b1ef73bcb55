"""What was decided, as pages and clients read it."""
