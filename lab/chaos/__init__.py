"""Chaos: real processes under a load, a seeded adversary, and an audit of every invariant.

`python -m lab.chaos --seed 7` draws what is asked for (`load_script`) and what goes wrong (`plan`)
from the seed, lets both happen to a site (`field`, `load`, `adversary`), heals everything, waits
for the end (`ordeal`), and holds the database, the files, the logs and the servers' journals
against the invariants (`audit`).
"""
