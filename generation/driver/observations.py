"""What a driver can observe of one attempt: the input of the state machine, as values."""

from dataclasses import dataclass

from generation.comfyui.errors import ComfyError, Refused
from generation.comfyui.protocol import OutputFile
from generation.errors import PlanFailure
from generation.models import Version
from generation.services.publication import Image

# Before it is on its server -----------------------------------------------------------------------


@dataclass(frozen=True)
class Claimed:
    """It was claimed just now, or by a driver that left before it built the graph."""


@dataclass(frozen=True)
class GraphNotBuilt:
    """What it asks for cannot be made of its workflow."""

    why: PlanFailure


@dataclass(frozen=True)
class TurnCame:
    """It is this prompt's turn. `has_panel`: its panel is on the server, or none is needed."""

    has_panel: bool


@dataclass(frozen=True)
class TurnDelayed:
    """Another address of its server may have, or be given, a prompt before it."""


@dataclass(frozen=True)
class ServerStoodAside:
    """Its server is given nothing more."""


@dataclass(frozen=True)
class PanelUploaded:
    """Its panel is on the server, under this name."""

    name: str


@dataclass(frozen=True)
class PanelNotUploaded:
    """Its panel could not be uploaded. `is_settled`: our own disk is in order again."""

    problem: Exception
    is_settled: bool = False


# What came of its POST ----------------------------------------------------------------------------


@dataclass(frozen=True)
class PromptAccepted:
    """The server has all of it; it is looked for after `look_after_s` seconds."""

    look_after_s: float


@dataclass(frozen=True)
class PromptPartlyAccepted:
    """The server runs it without some of its outputs."""

    refused: Refused


@dataclass(frozen=True)
class PromptRefused:
    """The server does not take the graph."""

    refused: Refused


@dataclass(frozen=True)
class PanelVanished:
    """The server refuses it for want of a panel that was uploaded.

    `is_split`: of two servers that answer in turn, the other has the panel.
    """

    words: str
    is_split: bool = False


@dataclass(frozen=True)
class PromptNotPosted:
    """The POST was answered by an error: the prompt may have reached the server all the same."""

    error: ComfyError


# What its server shows ----------------------------------------------------------------------------


@dataclass(frozen=True)
class ProgressLimits:
    """How long a prompt may be quiet, wait behind an unknown prompt, and idle."""

    hung_s: float
    unknown_s: float
    dead_s: float


@dataclass(frozen=True, kw_only=True)
class FoundInQueue:
    """The server's queue has it.

    `is_running`: it runs; `runs_any`: it, or another does; `foreign`: that is somebody else's.
    `heard_at`: when the socket last told of its progress. `drops_result`: without its result.
    """

    look_after_s: float
    limits: ProgressLimits
    is_running: bool = False
    runs_any: bool = False
    foreign: str = ""
    heard_at: float | None = None
    n_copies: int = 1
    drops_result: bool = False


@dataclass(frozen=True, kw_only=True)
class FoundInHistory:
    """It has ended. `files`: what its result's node saved; `why`: how it failed, if it did."""

    outcome: str  #: success, error, interrupted
    files: tuple[OutputFile, ...] = ()
    why: PlanFailure | None = None
    render_s: float | None = None
    drops_result: bool = False


@dataclass(frozen=True)
class PromptNotThere:
    """Neither queue nor history has it. `is_split`: two servers answer at its address in turn."""

    is_split: bool = False


@dataclass(frozen=True)
class HistoryBroken:
    """Its history was answered by an error."""

    error: ComfyError
    is_split: bool = False


@dataclass(frozen=True)
class NotToBeFound:
    """Absent for long, and its prefix found no prompt either. `left`: the files that it left."""

    left: tuple[OutputFile, ...] = ()
    is_split: bool = False


@dataclass(frozen=True)
class LeftFileUnreadable:
    """Absent for long, and the server answered by an error about the file that it left."""

    error: ComfyError
    is_split: bool = False


@dataclass(frozen=True)
class EndHeard:
    """The socket says that it has ended."""


@dataclass(frozen=True)
class SocketLost:
    """The socket tells nothing any more."""


@dataclass(frozen=True)
class PromptTakenOff:
    """The server was told to stop it. `runs_out`: it could not be, for somebody else's sake."""

    runs_out: bool = False


# What the database says ---------------------------------------------------------------------------


@dataclass(frozen=True)
class CancelRequested:
    """Somebody cancelled its plan."""


@dataclass(frozen=True)
class AttemptClosed:
    """It was taken away from this driver: abandoned, or its lease is another's."""


# Its pictures -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PicturesFetched:
    """Its pictures are staged. `misfit`: why they are not what was asked for; `is_split`: above."""

    images: tuple[Image, ...]
    misfit: PlanFailure | None = None
    is_split: bool = False


@dataclass(frozen=True)
class PicturesNotFetched:
    """Its pictures could not be fetched. `is_settled`: our own disk is in order again."""

    problem: Exception
    is_settled: bool = False


@dataclass(frozen=True)
class NoVolume:
    """Our own disk is not there, so nothing was fetched."""

    problem: Exception


@dataclass(frozen=True)
class NumbersReserved:
    """The point of no return: these versions are to be published."""

    versions: tuple[Version, ...]


@dataclass(frozen=True)
class CancelCameFirst:
    """Its plan was cancelled before its numbers were reserved."""


@dataclass(frozen=True)
class NumbersExhausted:
    """Its plan has its last version already."""

    words: str


Observation = (
    Claimed
    | GraphNotBuilt
    | TurnCame
    | TurnDelayed
    | ServerStoodAside
    | PanelUploaded
    | PanelNotUploaded
    | PromptAccepted
    | PromptPartlyAccepted
    | PromptRefused
    | PanelVanished
    | PromptNotPosted
    | FoundInQueue
    | FoundInHistory
    | PromptNotThere
    | HistoryBroken
    | NotToBeFound
    | LeftFileUnreadable
    | EndHeard
    | SocketLost
    | PromptTakenOff
    | CancelRequested
    | AttemptClosed
    | PicturesFetched
    | PicturesNotFetched
    | NoVolume
    | NumbersReserved
    | CancelCameFirst
    | NumbersExhausted
)
