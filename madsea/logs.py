"""What the log says of requests: a refusal is one line, a mistake of ours keeps its traceback."""

import logging


class RefusalsInOneLine(logging.Filter):
    """Takes the traceback off what Django logs about requests that were refused (400 to 499)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        status = getattr(record, "status_code", 500)
        if record.name.startswith("django.") and isinstance(status, int) and status < 500:
            record.exc_info, record.exc_text = None, None
        return True
