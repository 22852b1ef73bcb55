"""The audit of a run: every invariant of DESIGN, from the database, files, logs and journals."""
