"""Names as other programs write them: recognised, to say what is in the way, and never guessed."""

import re
from pathlib import PurePath

from nomenclature.errors import NomenclatureError
from wording import say

#: How Storyboard Pro names what it exports: one picture for each panel of a shot.
_STORYBOARD_PRO = re.compile(r"(E[0-9]{3,6})_(SQ[0-9]{4})[_-]([0-9]{4})_([0-9]+)")


def check_one_picture(file_name: str, task: str) -> None:
    """Check that a name is not one of several pictures of a plan.

    Raises: NomenclatureError on `name`, which says how to name the one that is meant.
    """
    path = PurePath(file_name)
    match = _STORYBOARD_PRO.fullmatch(path.stem)
    if match is None:
        return
    episode, sequence_id, plan, number = match.groups()
    expected = say(
        "one picture of each plan, and this is Storyboard Pro's picture {number} "
        "of plan {plan} of {sequence_id}: rename the one that is meant to "
        "{episode}_{sequence_id}-{plan}_{task}{lower}, and take the others out",
        number=number,
        plan=plan,
        sequence_id=sequence_id,
        episode=episode,
        task=task,
        lower=path.suffix.lower(),
    )
    raise NomenclatureError("name", path.name, expected, "several_pictures")
