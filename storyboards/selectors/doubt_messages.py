"""What each doubt about a storyboard means, in words: stored as code and data, said when read."""

from collections.abc import Mapping
from typing import Any, TypedDict

from wording import Sentence, say, to_say


class DoubtDocument(TypedDict):
    """A doubt as it is told."""

    code: str
    detail: str
    data: dict[str, Any]


#: By the code that the reading gives; one that is not here is told by its code and data.
SENTENCES: Mapping[str, str] = {
    "label_missing": to_say("No label stands beside the picture."),
    "label_order": to_say("The label {label} does not follow {before}."),
    "labels_begin_anew": to_say(
        "The labels begin anew here, under the same heading: another sequence is proposed."
    ),
    "heading_changes": to_say(
        "The heading of the page changes here, and the labels go on: another sequence is proposed."
    ),
    "picture_file_missing": to_say("There is no picture {file} among the files."),
    "pictures_unnamed": to_say("{n} pictures are named in no row of {file}, and were left out."),
    "duration_unclear": to_say("It is not clear how long it lasts: {text}."),
    "picture_missing": to_say("The board has no picture."),
    "time_falls": to_say("It begins before the board above it."),
    "time_missing": to_say("No time stands beside the picture."),
    "text_cut": to_say(
        "The text is cut in the file ({field}): the Storyboarder project has all of it."
    ),
    "text_too_long": to_say("The text was cut at {most} characters ({field})."),
    "fields_unsure": to_say("Which text is dialogue and which is action is not sure."),
    "place_disagrees": to_say("By their place, the texts could be another board's."),
    "read_by_place": to_say(
        "The file does not draw each board's texts behind its picture: they were "
        "given to the boards by their places."
    ),
    "text_may_be_cut": to_say(
        "The text reaches as far down as texts that are cut in the file: it may be cut as well."
    ),
    "picture_damaged": to_say("The picture is damaged."),
    "picture_unknown": to_say("The picture is neither JPEG, PNG nor WebP, or damaged."),
    "picture_too_large": to_say("The picture is too large."),
    "posterframe_stale": to_say(
        "The board's picture is older than its layers: they were laid over one another instead."
    ),
    "uid_twice": to_say("Another board above has the same uid, {uid}."),
    "several_pictures": to_say(
        "{plans} plans have several pictures: of each the {taken} is taken."
    ),
    "files_left_out": to_say("{n} files are no pictures that can be used, and were left out."),
    "xml_damaged": to_say("{file} is damaged: the times in it were not read."),
    "xml_declares_entities": to_say(
        "{file} contains declarations that Madsea does not accept for safety: "
        "the times in it were not read."
    ),
    "xml_too_large": to_say("{file} is too large: the times in it were not read."),
    "xml_without_times": to_say("{file} tells no times of pictures."),
    "boards_count": to_say("The file says it has {said} boards; {found} were found."),
    "shots_count": to_say("The file says it has {said} shots; {found} were found."),
}


def doubt_in_words(doubt: Mapping[str, Any]) -> DoubtDocument:
    """Return a stored doubt with its sentence."""
    code, data = str(doubt["code"]), dict(doubt.get("data") or {})
    return {"code": code, "detail": str(_sentence(code, data)), "data": data}


def _sentence(code: str, data: Mapping[str, Any]) -> str:
    if code == "label_order" and not data.get("before"):
        return say("The first label is {label}, not 1A.", label=data.get("label"))
    if code in SENTENCES:
        return Sentence(SENTENCES[code], data)
    words = code.replace("_", " ")
    values = ", ".join(f"{name} {value}" for name, value in data.items())
    return f"{words[:1].upper()}{words[1:]}{f': {values}' if values else ''}."
