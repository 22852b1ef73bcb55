"""An order: what happens to a site, drawn from a seed, written to a file and read again."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.chaos import attack_schedule
from lab.chaos.attack_schedule import Act

#: Some acts find nobody to hit; so many more are planned.
MISSED_SHARE = 1.25
PROGRAM = "python -m lab.chaos"


@dataclass(frozen=True)
class Order:
    """These acts, and what the seed asks for within `lasts_s`, on this database and broker.

    `faults` and `without` are what the acts were drawn with.
    """

    seed: int
    faults: int
    lasts_s: float
    database: str
    has_redis: bool
    without: Sequence[str]
    acts: Sequence[Act]

    def __str__(self) -> str:
        return f"seed {self.seed} on {self.database}"


def draw(
    seed: int,
    faults: int,
    lasts_s: float,
    database: str,
    *,
    has_redis: bool = False,
    without: Sequence[str] = (),
) -> Order:
    """Return the order of a seed; at least so many `faults` are to find somebody to hit."""
    has = {database, *(["redis"] if has_redis else [])}
    acts = attack_schedule.draw(
        seed, round(faults * MISSED_SHARE), lasts_s=lasts_s, has=has, without=without
    )
    return Order(seed, faults, lasts_s, database, has_redis, list(without), acts)


def write(order: Order, file: Path) -> None:
    """Write an order into a file."""
    file.write_text(json.dumps(asdict(order), indent=1), encoding="utf-8")


def read(file: Path) -> Order:
    """Return the order that a file holds.

    Raises:
        OSError, ValueError, TypeError, KeyError: it cannot be read, or holds none.
    """
    found = json.loads(file.read_text(encoding="utf-8"))
    return Order(**{**found, "acts": [Act(**act) for act in found["acts"]]})


def replay_commands(order: Order, file: Path) -> list[str]:
    """Return the commands that play an order again: from its file, and where drawn, from its seed.

    The file says the same however the adversary is changed; the seed is all that another machine
    needs.
    """
    commands = [f"{PROGRAM} --replay {shlex.quote(str(file))}"]
    drawn = draw(
        order.seed,
        order.faults,
        order.lasts_s,
        order.database,
        has_redis=order.has_redis,
        without=order.without,
    )
    return [*commands, _from_seed(order)] if drawn == order else commands


def _from_seed(order: Order) -> str:
    words = [f"--seed {order.seed}", f"--faults {order.faults}", f"--lasts {order.lasts_s}"]
    words.append(f"--database {order.database}")
    words += ["--redis"] if order.has_redis else []
    words += [f"--without {','.join(order.without)}"] if order.without else []
    return " ".join([PROGRAM, *words])
