"""Progress that makes no sense, and clocks that are wrong: §18.46, 47."""

from lab.faults.case import Case, strike
from tests.driver import flying

DAY_S = 86_400

CASES = (
    *(
        Case(
            46,
            what,
            f"`odd_progress` {how}",
            (strike("odd_progress", how=how),),
            graph=flying.SAMPLED,
            plays={"seconds_per_plan": 0.5},
        )
        for what, how in (
            ("progress goes backwards", "backwards"),
            ("steps of a maximum of 0", "of_none"),
            ("no progress at all", "never"),
        )
    ),
    Case(
        47,
        "the server's clock is a day ahead",
        "`clock_skew`",
        (strike("clock_skew", seconds=DAY_S),),
    ),
    Case(
        47,
        "the server's clock is set back by a day while it renders",
        "`clock_skew` from the second message on",
        (strike("clock_skew", after=1, seconds=-DAY_S),),
    ),
)
