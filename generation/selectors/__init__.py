"""The reads: what the doors show, built in a number of queries that no batch's size changes."""

from generation.selectors.batches import batch, created
from generation.selectors.documents import document, heading, status
from generation.selectors.results import version
from generation.selectors.situations import waits
from generation.selectors.turns import queue

__all__ = ["batch", "created", "document", "heading", "queue", "status", "version", "waits"]
