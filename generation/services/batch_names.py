"""What a batch is called that was given no name: as people speak of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from generation.models import Episode, Style


def default_name(
    episode: Episode, sequences: Mapping[str, Sequence[str]], style: Style, at: datetime
) -> str:
    """Return a name such as `E202 · SQ0010–SQ0030 · Labo · 14:05`.

    It tells the first and the last of the sequences, of a single plan that plan; the time is that
    of the installation's zone.
    """
    moment = f"{timezone.localtime(at):%H:%M}"
    return " · ".join((episode.code, _places(sequences), style.label, moment))


def _places(sequences: Mapping[str, Sequence[str]]) -> str:
    first, last = min(sequences), max(sequences)
    if first != last:
        return f"{first}–{last}"
    plans = sequences[first]
    return f"{first}-{plans[0]}" if len(plans) == 1 else first
