"""The summary as a mail: text and HTML, in the language of the installation."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.dateparse import parse_date, parse_datetime

from generation.errors import Refusal
from review.selectors import summary
from review.selectors.state_words import DECISIONS
from review.selectors.summary import SummaryDocument
from review.states import Decision
from wording import say


def start_moment(text: str) -> datetime:
    """Return the moment that a text names; nothing: yesterday evening.

    Without an offset it is in the studio's time; of a day alone its beginning.

    Raises:
        Refusal: it is none.
    """
    if not text:
        return summary.default_since()
    try:
        day = parse_date(text) if len(text) <= len("2026-11-25") else None
        # A + that was not escaped came as a blank.
        moment = datetime.combine(day, time()) if day else parse_datetime(text.replace(" ", "+"))
        if moment is not None:
            return moment if moment.tzinfo else timezone.make_aware(moment)
    except (ValueError, OverflowError):
        pass
    detail = say("Expected a moment such as 2026-11-25T18:00:00+01:00, or a day: 2026-11-25.")
    raise Refusal(detail, attr="since")


def decisions(of: SummaryDocument) -> list[dict[str, Any]]:
    """Return who decided how often, each decision in words."""
    return [
        {**decision, "words": DECISIONS[Decision(decision["decision"])]}
        for decision in of["decided"]
    ]


def compose(of: SummaryDocument, to: Sequence[str]) -> EmailMultiAlternatives:
    """Return the mail that tells a summary."""
    with translation.override(settings.LANGUAGE_CODE):
        context = {
            "told": of,
            "decided": decisions(of),
            "since": datetime.fromisoformat(of["since"]),
            "until": datetime.fromisoformat(of["until"]),
            "site": settings.MADSEA_URL,
        }
        text = render_to_string("review/summary_mail.txt", context)
        page = render_to_string("review/summary_mail.html", context)
        n_pictures = sum(version["n_pictures"] for version in of["made"])
        n_failed = sum(failure["n_plans"] for failure in of["failed"])
        n_review = sum(place["n_plans"] for place in of["waiting"]["to_review"])
        subject = say(
            "Madsea: pictures {n_pictures}, failed {n_failed}, to review {n_review}",
            n_pictures=n_pictures,
            n_failed=n_failed,
            n_review=n_review,
        )
        mail = EmailMultiAlternatives(str(subject), text, to=list(to))
        mail.attach_alternative(page, "text/html")
    return mail
