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
    """It is not. `is_settled`: what was wrong with our own disk is mended already."""

    problem: Exception
    is_settled: bool = False


# What came of its POST ----------------------------------------------------------------------------


@dataclass(frozen=True)
class PromptAccepted:
    """The server has all of it, and is to be asked for it after so many seconds."""

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
    """There was an error in the place of an answer: it may have got there all the same."""

    error: ComfyError


# What its server shows ----------------------------------------------------------------------------


@dataclass(frozen=True)
class ProgressLimits:
    """How long a prompt may be quiet, wait behind one of which nothing is known, and idle."""

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
class NotThere:
    """Neither queue nor history has it. `is_split`: two servers answer at its address in turn."""

    is_split: bool = False


@dataclass(frozen=True)
class HistoryBroken:
    """An error was answered in the place of its history."""

    error: ComfyError
    is_split: bool = False


@dataclass(frozen=True)
class NotToBeFound:
    """Absent for long: looked for by its prefix, too. `left` are the files it left, if it did."""

    left: tuple[OutputFile, ...] = ()
    is_split: bool = False


@dataclass(frozen=True)
class LeftFileBroken:
    """Absent for long, and an error was answered when it was asked for the file it left."""

    error: ComfyError
    is_split: bool = False


@dataclass(frozen=True)
class EndHeard:
    """The socket says that it has ended."""


@dataclass(frozen=True)
class SocketLost:
    """The socket tells nothing any more."""


@dataclass(frozen=True)
class TakenOff:
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
    """They are staged. `misfit`: why they are not what was asked for. `is_split`: see above."""

    images: tuple[Image, ...]
    misfit: PlanFailure | None = None
    is_split: bool = False


@dataclass(frozen=True)
class PicturesNotFetched:
    """They are not. `is_settled`: what was wrong with our own disk is mended already."""

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
    | NotThere
    | HistoryBroken
    | NotToBeFound
    | LeftFileBroken
    | EndHeard
    | SocketLost
    | TakenOff
    | CancelRequested
    | AttemptClosed
    | PicturesFetched
    | PicturesNotFetched
    | NoVolume
    | NumbersReserved
    | CancelCameFirst
    | NumbersExhausted
)
