"""One attempt in the driver's hands: where it is between claim and published version."""

from dataclasses import dataclass, field
from enum import Enum
from time import monotonic

from django.utils import timezone

from generation.comfyui.errors import ComfyError
from generation.comfyui.protocol import OutputFile
from generation.driver.progress import Meter
from generation.errors import PlanFailure
from generation.models import Attempt
from generation.services import prompt_graphs


class Stage(Enum):
    """What a flight is waiting for."""

    PREPARING = "preparing"  #: its panel is being uploaded
    READY = "ready"  #: to be posted, after its panel
    DOUBTFUL = "doubtful"  #: perhaps posted: the server's queue and history will tell
    POSTED = "posted"  #: on the server
    STOPPING = "stopping"  #: being cancelled on the server
    FETCHING = "fetching"  #: its file is being fetched, decoded and staged


UNPOSTED = (Stage.PREPARING, Stage.READY)
ON_SERVER = (Stage.DOUBTFUL, Stage.POSTED, Stage.STOPPING)


@dataclass
class Flight:
    """An open attempt; times are monotonic seconds."""

    attempt: Attempt
    stage: Stage
    meter: Meter = field(init=False)
    begun_at: float = field(init=False)  #: it was claimed, by whichever driver
    written_pct: int = 0
    look_at: float = 0.0
    absent_since: float | None = None
    n_missed: int = 0  #: looks in a row that found it neither in the queue nor in the history
    was_in_history: bool = False
    ended_by_socket: bool = False
    is_repost: bool = False
    has_panel: bool = False
    is_acknowledged: bool = False
    runs_out: bool = False  #: stopped, but left to run to its end for somebody else's sake
    output: OutputFile | None = None
    is_left: bool = False  #: its file was found by its prefix, without a history that names it
    render_s: float | None = None
    running_since: float | None = None
    heard_at: float = 0.0  #: the last sign that it makes progress
    idle_since: float | None = None  #: it waits there while nothing runs
    behind: str = ""  #: somebody else's prompt that runs there while it waits
    behind_since: float | None = None
    verdict: PlanFailure | None = None  #: why it is being stopped, when no cancel is the reason
    stopping_since: float = 0.0  #: it was told to stop, for that verdict
    n_refused: int = 0  #: uploads and panels that the server did not take, or lost
    n_untaken: int = 0  #: POSTs that were answered with an error, and queued nothing
    n_unanswered: int = 0  #: POSTs that may have got there, and were answered by nothing
    n_untold: int = 0  #: broken answers instead of its history
    n_ungiven: int = 0  #: errors that were answered instead of its file
    post_error: ComfyError | None = None  #: what the last POST was answered with, if no yes
    n_unreadable: int = 0
    folder: str = ""  #: where its image is to be published
    n_short: int = 0  #: how often in a row our own disk did not take it
    is_short_told: bool = False

    def __post_init__(self) -> None:
        age = timezone.now() - self.attempt.created_at
        self.begun_at = monotonic() - max(0.0, age.total_seconds())
        self.meter = Meter(self.attempt.graph)
        self.written_pct = self.attempt.run.progress_pct
        self.meter.pct = self.written_pct
        self.is_acknowledged = self.attempt.acknowledged_at is not None
        self.look_soon()

    @property
    def prompt_id(self) -> str:
        """The attempt's prompt id as the server has it, as far as that is known."""
        return self.attempt.id_on_server

    @property
    def prefix(self) -> str:
        """The file name prefix by which its prompt is known whatever its id."""
        return prompt_graphs.prefix_of(self.attempt)

    def look_soon(self, after_s: float = 0.0) -> None:
        """Ask to be looked for on the server in so many seconds."""
        self.look_at = monotonic() + after_s

    def post_again(self) -> None:
        """Go back to the start: the same id and graph are to be posted once more."""
        self.stage, self.absent_since, self.is_repost = Stage.READY, None, True
        self.look_soon()
