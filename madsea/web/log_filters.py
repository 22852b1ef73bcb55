"""What the log says of requests: a refusal in one line, a mistake of ours with its traceback.

No address in it lets its reader in.
"""

import logging
import re

from wording import in_english

#: A signed address is good for an hour, for whoever has it; a review link for days.
_SECRETS = (
    ("/files/", re.compile(r"(/files/)[^/\s\"']*:[^/\s\"']*"), r"\1(signed)"),
    ("/r/", re.compile(r"(/r/)[^/\s\"'?]{20,}"), r"\1(token)"),
)


class RefusalsInOneLine(logging.Filter):
    """Takes the traceback off what Django logs about requests that were refused (400 to 499)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        status = getattr(record, "status_code", 500)
        if record.name.startswith("django.") and isinstance(status, int) and status < 500:
            record.exc_info, record.exc_text = None, None
        return True


class HideSignatures(logging.Filter):
    """Takes the signature out of a file's address that is logged, and the token out of a link's."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record where it is needed; it is always logged."""
        record.msg = _hidden(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_hidden(each) for each in record.args)
        return True


def _hidden(value: object) -> object:
    if not isinstance(value, str):
        return value
    for mark, secret, instead in _SECRETS:
        if mark in value:
            value = secret.sub(instead, value)
    return value


class EnglishLines(logging.Formatter):
    """Writes lines in English, whoever's request they are about: logs are searched by all."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line."""
        with in_english():
            return super().format(record)
