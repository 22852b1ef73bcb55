"""The fault matrix: every fault of the protocol's list (§18), and what becomes of a plan in it."""
