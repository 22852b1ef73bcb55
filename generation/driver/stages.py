"""The stages of an attempt in its driver's hands, as values: each carries what it alone has.

Times are seconds of one clock, the driver's monotonic one. `due_at` says when there is something to
do without any message; never, where a thread or the database is awaited.
"""

from dataclasses import dataclass, field
from math import inf

from generation.comfyui.protocol import OutputFile
from generation.errors import PlanFailure
from generation.services.publication import Image


@dataclass(frozen=True)
class Submission:
    """What has come of bringing a prompt to its server so far."""

    has_panel: bool = False
    n_refused: int = 0  #: uploads and panels that the server did not take, or lost
    n_answered: int = 0  #: POSTs that were answered with an error, and queued nothing
    n_unanswered: int = 0  #: POSTs that may have got there, and were answered by nothing
    is_repost: bool = False  #: the same id and graph were posted before


@dataclass(frozen=True)
class Retrieval:
    """What has come of fetching the pictures of a prompt so far."""

    n_unreadable: int = 0  #: times that a picture was cut short, or none
    n_short: int = 0  #: how often in a row our own disk did not take it
    is_short_told: bool = False


@dataclass(frozen=True)
class Absence:
    """How long a prompt has been missed, in how many looks in a row, and whether it had ended."""

    since: float | None = None
    n_missed: int = 0
    was_in_history: bool = False


@dataclass(frozen=True)
class Timers:
    """Since when a prompt makes no progress, and for what it waits; None for not at all.

    `quiet_since`: the last sign of progress of one that runs. `idle_since`: it waits while nothing
    runs there. `behind_since`: it waits while somebody else's prompt `behind` runs.
    """

    quiet_since: float | None = None
    idle_since: float | None = None
    behind: str = ""
    behind_since: float | None = None


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """Claimed: its graph is built, its panel uploaded, its turn to be posted awaited."""

    due_at: float
    submission: Submission = field(default_factory=Submission)

    @property
    def is_uploading(self) -> bool:
        """Whether a thread uploads its panel."""
        return self.due_at == inf


@dataclass(frozen=True, kw_only=True)
class _OnServer:
    """`has_ended`: so says the socket. `n_untold` and `n_ungiven` count the errors that were
    answered in the place of its history and of its file."""

    due_at: float
    has_ended: bool = False
    absence: Absence = field(default_factory=Absence)
    n_untold: int = 0
    n_ungiven: int = 0


@dataclass(frozen=True, kw_only=True)
class Posting(_OnServer):
    """Perhaps on its server: the answer to its POST, the queue or the history will tell.

    `error` is what the POST was answered with instead of a yes, "" for no answer at all.
    """

    submission: Submission = field(default_factory=Submission)
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Running(_OnServer):
    """Acknowledged: it waits or runs on its server, or has ended there and is to be fetched."""

    timers: Timers = field(default_factory=Timers)
    retrieval: Retrieval = field(default_factory=Retrieval)


@dataclass(frozen=True, kw_only=True)
class Stopping(_OnServer):
    """Being taken off its server: cancelled, or hung (then `verdict` is the failure).

    `told_at`: when it was told to stop for that. `runs_out`: left to run to its end for the sake of
    somebody else's prompt.
    """

    was_acknowledged: bool = True
    verdict: PlanFailure | None = None
    told_at: float = 0.0
    runs_out: bool = False
    timers: Timers = field(default_factory=Timers)


@dataclass(frozen=True, kw_only=True)
class Fetching:
    """Rendered: its pictures are fetched, decoded and staged by a thread.

    `running` is what it goes back to when they cannot be had now. `is_left`: they were found by
    their prefix, without a history that names them. `render_s`: how long the server worked at it.
    """

    running: Running
    files: tuple[OutputFile, ...]
    is_left: bool = False
    render_s: float | None = None
    due_at: float = field(default=inf, init=False)


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """Its pictures are staged: their numbers are reserved, and they get their names."""

    images: tuple[Image, ...] = ()
    render_s: float | None = None
    due_at: float = field(default=inf, init=False)


@dataclass(frozen=True)
class Ended:
    """In no driver's hands any more."""

    due_at: float = field(default=inf, init=False)


Stage = Preparing | Posting | Running | Stopping | Fetching | Publishing | Ended
OnServer = Posting | Running | Stopping
ON_SERVER = (Posting, Running, Stopping)


def is_acknowledged(stage: Stage) -> bool:
    """Tell whether the server has said, by whatever sign, that it has the prompt."""
    if isinstance(stage, Stopping):
        return stage.was_acknowledged
    return not isinstance(stage, Preparing | Posting)


def retrieval_of(stage: Stage) -> Retrieval:
    """Return what has come of fetching the pictures of an attempt so far."""
    running = stage.running if isinstance(stage, Fetching) else stage
    return running.retrieval if isinstance(running, Running) else Retrieval()
