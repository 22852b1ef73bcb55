"""What each doubt about a storyboard means, in words: stored as code and data, said when read."""

from collections.abc import Mapping
from typing import Any, TypedDict


class DoubtDocument(TypedDict):
    """A doubt as it is told."""

    code: str
    detail: str
    data: dict[str, Any]


#: By the code that the reading gives; one that is not here is told by its code and data.
SENTENCES: Mapping[str, str] = {
    "label_missing": "No label stands beside the picture.",
    "label_order": "The label {label} does not follow {before}.",
    "picture_missing": "The board has no picture.",
    "time_falls": "It begins before the board above it.",
    "time_missing": "No time stands beside the picture.",
    "text_cut": "The text is cut in the file ({field}): the Storyboarder project has all of it.",
    "text_too_long": "The text was cut at {most} characters ({field}).",
    "fields_unsure": "Which text is dialogue and which is action is not sure.",
    "place_disagrees": "By their place, the texts could be another board's.",
    "read_by_place": "The file does not draw each board's texts behind its picture: they were"
    " given to the boards by their places.",
    "text_may_be_cut": "The text reaches as far down as texts that are cut in the file: it may be"
    " cut as well.",
    "picture_damaged": "The picture is damaged.",
    "picture_unknown": "The picture is neither JPEG, PNG nor WebP, or damaged.",
    "picture_too_large": "The picture is too large.",
    "posterframe_stale": "The board's picture is older than its layers: they were laid over one"
    " another instead.",
    "uid_twice": "Another board above has the same uid, {uid}.",
    "several_pictures": "{plans} plans have several pictures: of each the {taken} is taken.",
    "files_left_out": "{n} files are no pictures that can be used, and were left out.",
    "xml_damaged": "{file} is damaged: the times in it were not read.",
    "xml_declares_entities": "{file} contains declarations that Madsea does not accept for safety:"
    " the times in it were not read.",
    "xml_too_large": "{file} is too large: the times in it were not read.",
    "xml_without_times": "{file} tells no times of pictures.",
    "boards_count": "The file says it has {said} boards; {found} were found.",
    "shots_count": "The file says it has {said} shots; {found} were found.",
}


def told(doubt: Mapping[str, Any]) -> DoubtDocument:
    """Return a stored doubt with its sentence."""
    code, data = str(doubt["code"]), dict(doubt.get("data") or {})
    return {"code": code, "detail": _sentence(code, data), "data": data}


def _sentence(code: str, data: Mapping[str, Any]) -> str:
    if code == "label_order" and not data.get("before"):
        return f"The first label is {data.get('label')}, not 1A."
    known = SENTENCES.get(code)
    if known is not None:
        try:
            return known.format(**data)
        except (KeyError, IndexError, ValueError):
            pass
    words = code.replace("_", " ")
    values = ", ".join(f"{name} {value}" for name, value in data.items())
    return f"{words[:1].upper()}{words[1:]}{f': {values}' if values else ''}."
