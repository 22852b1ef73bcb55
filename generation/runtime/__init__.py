"""Processes: the cluster of workers, and what belongs together on one machine."""
