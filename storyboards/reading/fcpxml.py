"""When pictures begin and how long they last, from an XML of Final Cut Pro X (`fcpxml`).

Storyboarder writes one beside the pictures that it exports: each is a still of the spine, named by
its board's label. Times are fractions of a second: `4800/2400s`.
"""

import re

from storyboards.reading.fcp_xml import Clip, Element, file_name, tree

_TIME = re.compile(r"(\d{1,12})(?:/([1-9]\d{0,8}))?s", re.ASCII)


def clips(content: bytes) -> list[Clip]:
    """Return the pictures of a time line in their order.

    Raises:
        BadXml: it is no XML, or declares what is not read.
    """
    root = tree(content)
    files = {
        asset.attributes.get("id", ""): file_name(_address(asset)) for asset in root.every("asset")
    }
    stills = [still for spine in root.every("spine") for still in spine.children]
    told = [_clip(still, files) for still in stills]
    return [clip for clip in told if clip is not None]


def _address(asset: Element) -> str:
    """Return where an asset's file lies, which later versions tell in an element of its own."""
    media = asset.child("media-rep")
    return asset.attributes.get("src", "") or (media.attributes.get("src", "") if media else "")


def _clip(still: Element, files: dict[str, str]) -> Clip | None:
    """Return a part of a spine; a clip may have its picture in a part below it."""
    shown = next(
        (part for part in [still, *still.every("video")] if "ref" in part.attributes), None
    )
    file = files.get(shown.attributes["ref"], "") if shown else ""
    start = _ms(still.attributes.get("offset", "0s"))
    lasts = _ms(still.attributes.get("duration", ""))
    if not file or start is None or not lasts:
        return None
    return Clip(file, start, start + lasts, still.attributes.get("name", ""))


def _ms(text: str) -> int | None:
    time = _TIME.fullmatch(text)
    return round(int(time[1]) * 1000 / int(time[2] or 1)) if time else None
