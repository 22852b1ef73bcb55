"""The cases of the matrix, by what the fault is at."""
