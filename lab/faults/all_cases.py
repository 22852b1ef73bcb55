"""The whole matrix: every case, in the order of the protocol's list, and what is not met."""

from lab.faults.case import Case, Unmet
from lab.faults.cases import (
    cancels,
    definitions,
    files,
    nodes,
    old_servers,
    other_clients,
    progress,
    refusals,
    requests,
    restarts,
    socket,
)

_MODULES = (
    requests,
    refusals,
    socket,
    other_clients,
    restarts,
    cancels,
    nodes,
    files,
    definitions,
    progress,
    old_servers,
)

CASES: tuple[Case, ...] = tuple(
    sorted((case for module in _MODULES for case in module.CASES), key=lambda case: case.number)
)

#: Cases that do not end as they must yet, by name, and what is missing in the product.
WAITING: dict[str, str] = {}

PLAYED = tuple(case for case in CASES if case.slug not in WAITING)

UNMET = (
    Unmet(
        15,
        "an id that is no lowercase UUID",
        "Our ids are drawn by `uuid4`, and the client refuses to propose any other.",
    ),
    Unmet(
        16,
        "an id of ours used by us for two graphs",
        "A new attempt draws a new id; the old id goes out again with the old graph only.",
    ),
    Unmet(
        24,
        "a socket of ours displaced by another of ours",
        "Each connection has a client id of its own, also after a cut. Somebody else's is above.",
    ),
    Unmet(
        40,
        "the answer to a twin of an earlier prompt, with its old names",
        "Each attempt saves under its own prefix, so its SaveImage node is no twin of any other."
        " Only the same prompt posted again can be one: see above.",
    ),
    Unmet(
        40,
        "no outputs of cached nodes for want of a client id",
        "Every prompt of ours has one. A server that leaves them out all the same is above.",
    ),
    Unmet(
        45,
        "dynamic combos",
        "Graphs are taken as ComfyUI exported them; their dotted inputs are sent unchanged.",
    ),
)
