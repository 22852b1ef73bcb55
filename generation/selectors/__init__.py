"""The reads: what the doors show, built in a number of queries that no batch's size changes."""

from generation.selectors.batches import batch, creation_answer
from generation.selectors.render_queue import queue
from generation.selectors.results import version
from generation.selectors.status_documents import document, heading, status
from generation.selectors.wait_reasons import waits

__all__ = ["batch", "creation_answer", "document", "heading", "queue", "status", "version", "waits"]
