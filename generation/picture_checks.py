"""What can be wrong with a picture before anybody looks: which measure tells it, from which bound.

A style switches each check on or off and gives it a bound of its own. A finding decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wording import Sentence, to_say


@dataclass(frozen=True)
class Check:
    """One check: the measure that it looks at, where it begins to be wrong, what is said then.

    `lookup` is how a measure is held against a bound: `lte`, wrong up to it, or `gte`, from it on.
    `usual` is the bound where the check is on, between 0 and 1; a check is off by default where it
    alarms on more than 5 % of good pictures (`python -m lab.picture_checks`).
    """

    name: str
    measure: str
    lookup: Literal["lte", "gte"]
    usual: float
    sentence: str
    is_on: bool = True  #: by default

    @property
    def bound(self) -> float | None:
        """The default bound; None: it is off by default."""
        return self.usual if self.is_on else None

    def finds(self, value: float | None, bound: float) -> bool:
        """Tell whether a measure is beyond a bound; one that was not taken never is."""
        if value is None:
            return False
        return value <= bound if self.lookup == "lte" else value >= bound

    def told(self, value: float, like: str = "") -> str:
        """Return what is said of a measure that is beyond the bound, and of what it is like."""
        said = {"percent": round(100 * value), "value": f"{value:.2f}", "like": like}
        return Sentence(self.sentence, said)


CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        Check(
            "size",
            "smaller_by",
            "gte",
            0.02,
            to_say("It is {percent} % smaller than was asked for."),
        ),
        Check(
            "ratio",
            "ratio_off_by",
            "gte",
            0.02,
            to_say("Its width and height are {percent} % off the ratio that was asked for."),
        ),
        Check("black", "brightest", "lte", 0.03, to_say("It is black: nothing in it is brighter.")),
        Check("white", "darkest", "gte", 0.97, to_say("It is white: nothing in it is darker.")),
        Check("one_colour", "contrast", "lte", 0.06, to_say("It is nearly of one colour.")),
        Check(
            "like_version",
            "version_distance",
            "lte",
            0.01,
            to_say("It shows the same as {like}, or nearly so."),
        ),
        Check(
            "like_plan",
            "plan_distance",
            "lte",
            0.01,
            to_say("It shows the same as {like}, or nearly so."),
        ),
        Check(
            "composition",
            "panel_distance",
            "gte",
            0.75,
            to_say(
                "Its composition is not that of its panel: {value} away, where 1 is all different."
            ),
        ),
    )
}


def bounds(own: Mapping[str, Any]) -> dict[str, float]:
    """Return the bounds of the checks that are on, given what a style says: a bound, or None."""
    said = {name: own.get(name, check.bound) for name, check in CHECKS.items()}
    return {name: bound for name, bound in said.items() if bound is not None}
