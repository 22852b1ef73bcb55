"""Time lines beside pictures: FCPXML as Storyboarder writes it, and OpenTimelineIO."""

import json
from pathlib import Path
from typing import Any

import pytest

from storyboards.reading import fcpxml, otio, read
from storyboards.reading.fcp_xml import BadXml, Clip
from storyboards.reading.limits import ReadingLimits
from tests import storyboard_files

FCPXML = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE fcpxml>
<fcpxml version="1.6"><resources><format id="r1" frameDuration="100/2400s"/>
<asset id="r2" name="1A" src="./scene-board-00001.png" start="0s" hasVideo="1"/>
<asset id="r3" src="file:///Users/x/sc%C3%A8ne/scene-board-00002.png"/></resources>
<library><event><project><sequence format="r1"><spine>
<video name="1A" offset="0s" ref="r2" duration="4800/2400s" start="0s"/>
<video name="1B" offset="4800/2400s" ref="r3" duration="1250/1000s"/>
<gap offset="3.25s" duration="1s"/></spine></sequence></project></event></library></fcpxml>"""
TWO = [
    Clip("scene-board-00001.png", 0, 2000, "1A"),
    Clip("scene-board-00002.png", 2000, 3250, "1B"),
]


def lasts(value: Any, rate: Any = 24) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "duration": {"value": value, "rate": rate}}


def clip(number: int, label: str, value: float) -> dict[str, Any]:
    media = {"target_url": f"file:///x/scene-board-0000{number}.png"}
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": label,
        "source_range": lasts(value),
        "media_references": {"DEFAULT_MEDIA": media},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def timeline(*parts: Any, kind: str = "Video") -> bytes:
    track = {"OTIO_SCHEMA": "Track.1", "kind": kind, "children": list(parts)}
    sound = {"OTIO_SCHEMA": "Track.1", "kind": "Audio", "children": [clip(9, "", 24)]}
    return json.dumps({"tracks": {"children": [sound, track]}}).encode()


def test_an_fcpxml_tells_labels_and_times() -> None:
    assert fcpxml.clips(FCPXML.encode()) == TWO


def test_a_clip_around_a_picture_is_the_time_that_counts() -> None:
    around = FCPXML.replace(
        '<video name="1B" offset="4800/2400s" ref="r3" duration="1250/1000s"/>',
        '<clip name="1B" offset="2s" duration="1250/1000s"><video ref="r3" offset="0s"/></clip>',
    )

    assert fcpxml.clips(around.encode()) == TWO


@pytest.mark.parametrize("time", ["", "1/0s", "-1s", "9" * 20 + "s", "1e9s", "NaN"])
def test_a_still_without_a_time_is_none(time: str) -> None:
    assert fcpxml.clips(FCPXML.replace("1250/1000s", time).encode()) == TWO[:1]


def test_what_declares_entities_is_not_read() -> None:
    bomb = FCPXML.replace("<!DOCTYPE fcpxml>", '<!DOCTYPE fcpxml [<!ENTITY a "aaaa">]>')

    with pytest.raises(BadXml, match="xml_declares_entities"):
        fcpxml.clips(bomb.encode())


def test_an_otio_tells_labels_and_times() -> None:
    gap = {"OTIO_SCHEMA": "Gap.1", "source_range": lasts(12)}
    transition = {"OTIO_SCHEMA": "Transition.1"}

    found = otio.clips(timeline(clip(1, "1A", 48), transition, clip(2, "1B", 30), gap))

    assert found == TWO


def test_an_older_otio_names_its_media_directly() -> None:
    old = {
        "OTIO_SCHEMA": "Clip.1",
        "name": "1A",
        "source_range": None,
        "media_reference": {"target_url": "a%20b.png", "available_range": lasts(48)},
    }

    assert otio.clips(timeline(old)) == [Clip("a b.png", 0, 2000, "1A")]


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (float("nan"), 24),
        (float("inf"), 24),
        (0, 24),
        (48, 0),
        ("48", 24),
        (10**400, 24),
        (True, 1),
    ],
)
def test_what_follows_a_part_of_no_length_is_not_timed(value: Any, rate: Any) -> None:
    part = clip(1, "1A", 48) | {"source_range": lasts(value, rate)}

    assert otio.clips(timeline(part, clip(2, "1B", 30))) == []


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_damaged(content: bytes) -> None:
    with pytest.raises(BadXml, match="xml_damaged"):
        otio.clips(content)


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b'{"tracks": {"children": [3, {"children": 4}]}}']
)
def test_what_is_no_time_line_tells_nothing(content: bytes) -> None:
    assert otio.clips(content) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("scene.fcpxml", FCPXML.encode()),
        ("scene.otio", timeline(clip(1, "1A", 48), clip(2, "1B", 30))),
    ],
)
def test_pictures_get_the_labels_and_times_of_a_time_line(
    tmp_path: Path, name: str, content: bytes
) -> None:
    folder = tmp_path / "E202"
    folder.mkdir()
    (folder / name).write_bytes(content)
    for number in (1, 2, 3):
        picture = folder / f"scene-board-0000{number}.png"
        picture.write_bytes(storyboard_files.png(number))
    pictures = tmp_path / "pictures"
    pictures.mkdir()

    storyboard = read(folder, pictures, limits=ReadingLimits())

    told = [(each.label, each.start_ms, each.duration_ms) for each in storyboard.boards]
    assert told == [("1A", 0, 2000), ("1B", 2000, 1250), ("scene-board-00003", None, None)]
    assert [each.doubts for each in storyboard.boards] == [(), (), ()]
    assert storyboard.doubts == ()
