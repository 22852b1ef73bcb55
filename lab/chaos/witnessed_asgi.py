"""Madsea's web application with a witness in it, for uvicorn."""

from lab.chaos import transaction_witness

transaction_witness.install()
from madsea.asgi import application  # noqa: E402 - only after the witness is in place

__all__ = ["application"]
