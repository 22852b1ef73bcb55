"""Columns that keep sentences: in English, which is searched, and beside it how they are made."""

import json
from typing import TYPE_CHECKING, Any

from django.db import models

from wording import Sentence, as_json, from_json

if TYPE_CHECKING:
    _Text = models.TextField[str, str]
    _Json = models.JSONField[Any, Any]
else:
    _Text = models.TextField
    _Json = models.JSONField

#: Stands in a column between the English of a sentence and its template and data.
SEPARATOR = "\x1e"


class SentenceField(_Text):
    """A text that is told in the reader's language where it is a sentence of Madsea's.

    What somebody else wrote, and what older rows hold, is a text like any other. To the database it
    is a `TextField`.
    """

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Tell migrations that it is a `TextField`."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        """Return what the column holds."""
        if not isinstance(value, Sentence):
            text = value.replace(SEPARATOR, " ") if isinstance(value, str) else value
            return super().get_prep_value(text)
        made_of = json.dumps(as_json(value), ensure_ascii=False, separators=(",", ":"))
        return f"{value.in_english()}{SEPARATOR}{made_of}"

    def from_db_value(self, value: str | None, *_args: Any) -> str | None:
        """Return the sentence, or the text, that a column holds."""
        _, mark, made_of = (value or "").rpartition(SEPARATOR)
        return from_json(json.loads(made_of)) if mark else value


class SentencesField(_Json):
    """JSON with sentences in it. To the database it is a `JSONField`."""

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Tell migrations that it is a `JSONField`."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        """Return what the column holds."""
        return super().get_prep_value(as_json(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Return the value with its sentences."""
        return from_json(super().from_db_value(value, expression, connection))
