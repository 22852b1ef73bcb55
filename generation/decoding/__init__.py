"""Decoding what others have made: in child processes that have little to lose and may be ended."""
