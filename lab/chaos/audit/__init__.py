"""The audit of a run: every invariant, from the database, files, logs and journals."""
