"""Programs that try Madsea hard: chaos, faults, benchmarks, hostile and real servers."""

import os

# What the programs here look for in what Madsea says is English.
os.environ.setdefault("LANGUAGE_CODE", "en")
os.environ.setdefault("LANGUAGE", "en")
