"""When pictures begin and how long they last, from a time line of OpenTimelineIO (`.otio`, JSON).

The first track that shows something counts; what is no clip in it takes its time.
"""

import json
from collections.abc import Mapping
from typing import Any

from storyboards.reading.fcp_xml import BadXml, Clip, file_name

#: Longer is no time of a storyboard.
_SECONDS_MAX = 24 * 3600
_NUMBER_MAX = 10**12


def clips(content: bytes) -> list[Clip]:
    """Return the pictures of a time line in their order.

    Raises:
        BadXml: it is no JSON.
    """
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadXml("xml_damaged") from error
    for track in _children(_fields(_fields(document).get("tracks"))):
        if track.get("kind", "Video") == "Video" and (found := _of_track(track)):
            return found
    return []


def _of_track(track: Mapping[str, Any]) -> list[Clip]:
    found, at_ms = [], 0.0
    for part in _children(track):
        if str(part.get("OTIO_SCHEMA", "")).startswith("Transition."):
            continue
        media = _media(part)
        lasts_ms = _lasts_ms(part) or _lasts_ms(media, "available_range")
        if lasts_ms is None:
            # What follows begins nobody knows when.
            break
        file = file_name(str(media.get("target_url") or ""))
        if file:
            name = str(part.get("name") or "")
            found.append(Clip(file, round(at_ms), round(at_ms + lasts_ms), name))
        at_ms += lasts_ms
    return found


def _media(clip: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a clip shows: of several, the one that is active."""
    key = str(clip.get("active_media_reference_key") or "DEFAULT_MEDIA")
    several = _fields(clip.get("media_references"))
    return _fields(clip.get("media_reference")) or _fields(several.get(key))


def _lasts_ms(of: Mapping[str, Any], range_name: str = "source_range") -> float | None:
    duration = _fields(_fields(of.get(range_name)).get("duration"))
    value, rate = _number(duration.get("value")), _number(duration.get("rate"))
    if not value or not rate or value / rate > _SECONDS_MAX:
        return None
    return 1000 * value / rate


def _number(value: Any) -> float | None:
    """Return a number above 0 that can be reckoned with; None where it is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < _NUMBER_MAX else None


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _children(of: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    children = of.get("children")
    return (
        [each for each in children if isinstance(each, dict)] if isinstance(children, list) else []
    )
