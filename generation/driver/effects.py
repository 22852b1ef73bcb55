"""What the state machine has done about one attempt: its output, as values.

Who carries an effect out may observe something by it, which goes back into the state machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from generation.comfyui.errors import ComfyError, Refused
from generation.comfyui.protocol import OutputFile
from generation.driver.observations import Observation
from generation.errors import PlanFailure
from generation.models import Version
from generation.services.publication import Image


@dataclass(frozen=True)
class BuildGraph:
    """Build the graph that is to be posted, and store it: GraphNotBuilt may follow."""


@dataclass(frozen=True)
class UploadPanel:
    """Have a thread upload its panel: PanelUploaded or PanelNotUploaded follows."""


@dataclass(frozen=True)
class UsePanel:
    """Take note that its panel is on the server, under this name."""

    name: str


@dataclass(frozen=True)
class ForgetPanels:
    """Believe no longer that any panel is on the server."""


@dataclass(frozen=True)
class Post:
    """Post the prompt: PromptAccepted, or what went wrong, follows."""


@dataclass(frozen=True)
class Acknowledge:
    """Write down that the server has it; CancelRequested follows if that came meanwhile."""

    event: str = "posted"


@dataclass(frozen=True)
class DeleteDoubledPrompt:
    """Take one of two copies that wait out of the queue: the first of two POSTs has come late."""


@dataclass(frozen=True)
class TakeOff:
    """Take it off the server, waiting or running: TakenOff follows. `is_told`: that it runs out."""

    is_told: bool = False


@dataclass(frozen=True)
class AskOnceMore:
    """Send one extra request.

    With an even number of requests per look, a balancer that alternates would always send the same
    question to the same server.
    """


@dataclass(frozen=True)
class SearchByPrefix:
    """Look for it and its file by its prefix: FoundInHistory, NotToBeFound, … follows."""


@dataclass(frozen=True)
class ProveSplit:
    """Have the server stand aside: several answer at its address in turn."""


@dataclass(frozen=True)
class YieldServer:
    """Take all of ours off a server that somebody else's prompt keeps busy; set it aside."""

    foreign: str
    why: PlanFailure


@dataclass(frozen=True)
class Fetch:
    """Have a thread fetch its pictures: PicturesFetched or PicturesNotFetched follows."""

    files: tuple[OutputFile, ...]


@dataclass(frozen=True)
class EndStorageTrouble:
    """Take note that our own disk takes pictures again."""


@dataclass(frozen=True)
class Discard:
    """Remove staged pictures."""

    images: tuple[Image, ...]


@dataclass(frozen=True)
class Reserve:
    """Take the numbers of its pictures: NumbersReserved, or why not, follows."""

    images: tuple[Image, ...]
    render_s: float | None


@dataclass(frozen=True)
class Publish:
    """Give reserved versions their names, and show them."""

    versions: tuple[Version, ...]
    render_s: float | None


@dataclass(frozen=True)
class Note:
    """Write into the plan's log; `once`: unless a driver of this attempt has said so before."""

    event: str
    details: Mapping[str, object] = field(default_factory=dict)
    once: bool = False


@dataclass(frozen=True)
class RememberTimers:
    """Store what was watched of it, for the next driver."""


@dataclass(frozen=True)
class PauseServer:
    """Leave the server alone for a moment: it is in trouble."""

    error: ComfyError


@dataclass(frozen=True)
class Observe:
    """Judge the same observation again, now that its stage is another."""

    observation: Observation


# How it ends --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fail:
    """Let it fail. `is_left`: its prompt still runs there. `is_deaf`: it was told to stop, too."""

    why: PlanFailure
    is_left: bool = False
    is_deaf: bool = False


@dataclass(frozen=True)
class TurnAway:
    """Hand its plan on: another server may have what this one lacks, or else it fails."""

    refused: Refused
    code: str


@dataclass(frozen=True)
class StepBack:
    """Give its plan back, as its server stands aside: it was not posted."""


@dataclass(frozen=True)
class EndCancelled:
    """End it as cancelled: it is off its server."""


@dataclass(frozen=True)
class Lose:
    """Queue its plan again: its server has forgotten it."""

    detail: str


@dataclass(frozen=True)
class LoseInterrupted:
    """Queue its plan again: somebody else interrupted it."""


@dataclass(frozen=True)
class LetGo:
    """Let go of it: it is another driver's, and nothing is written of it."""


Effect = (
    BuildGraph
    | UploadPanel
    | UsePanel
    | ForgetPanels
    | Post
    | Acknowledge
    | DeleteDoubledPrompt
    | TakeOff
    | AskOnceMore
    | SearchByPrefix
    | ProveSplit
    | YieldServer
    | Fetch
    | EndStorageTrouble
    | Discard
    | Reserve
    | Publish
    | Note
    | RememberTimers
    | PauseServer
    | Observe
    | Fail
    | TurnAway
    | StepBack
    | EndCancelled
    | Lose
    | LoseInterrupted
    | LetGo
)
