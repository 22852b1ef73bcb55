"""Every way in which a plan can fail or be held up: one table of what it means and what follows.

Three questions are answered for each: is the plan tried again and where, does the try count
towards the most that a plan has (`MADSEA_TRIES`, or the batch's own), and what is a supervisor to
do about it. Trouble with the way to a server, waiting and shortages never count.
Source: protocol.md §16.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from generation.errors import PlanFailure
from wording import Sentence, to_say


class Again(StrEnum):
    """What follows for the plan."""

    WAIT = "waits"  #: The same attempt goes on; nothing is rendered twice.
    ANYWHERE = "again, on any server"
    ELSEWHERE = "again, on another server while one can take it"
    NEVER = "in error"


class Fault(StrEnum):
    """Whose fault a failure is: only what is a server's is ever held against one."""

    REQUEST = "the request's"  #: Its values, its workflow or its panel: it ends the plan at once.
    EITHER = "the request's or the server's"  #: The server's where others render the very same.
    SERVER = "the server's"
    OURS = "Madsea's"


@dataclass(frozen=True)
class FailureClass:
    """One line of the table; `counts` tells whether it uses up one of the plan's tries."""

    code: str
    meaning: str
    again: Again
    counts: bool
    remedy: str
    fault: Fault = Fault.SERVER


#: Each failure is told many times, in logs, answers and pages: longer words help nobody.
MESSAGE_MOST = 2000


def _table(*classes: FailureClass) -> Mapping[str, FailureClass]:
    return {failure_class.code: failure_class for failure_class in classes}


#: A server stands aside for these: it is given nothing more, and finishes what it has.
SAME_SERVER = "same_server"
SEVERAL_SERVERS = "several_servers"
STANDING_ASIDE = frozenset({SAME_SERVER, SEVERAL_SERVERS})

_UNSEEN = to_say(
    "Nothing: it goes on by itself. If it lasts, look at the server and the way to it."
)
_MEND_GRAPH = to_say("The technical director has to mend the workflow; then send a new request.")
_RESTART = to_say("Restart ComfyUI there: it is taken back into service by itself.")

FAILURES = _table(
    # The way to a server ------------------------------------------------------------------------
    FailureClass("refuses_connections", "Nothing listens at the server's address: ComfyUI is"
                 " down, or starts up.", Again.WAIT, False, _UNSEEN),
    FailureClass("slow", "The server takes connections and does not answer in time: slow is not"
                 " dead.", Again.WAIT, False, _UNSEEN),
    FailureClass("denied", "The server, or a proxy before it, asks for a login.", Again.WAIT, False,
                 "Correct the server's extra headers in the admin."),
    FailureClass("strange_answer", "What answers at the address is not ComfyUI, or is broken.",
                 Again.WAIT, False, "Look at the server, and at what stands between."),
    # The server lost it, or never could ---------------------------------------------------------
    FailureClass("lost", "The server forgot the prompt: it restarted, or somebody deleted it.",
                 Again.ANYWHERE, False,
                 "Nothing. If a server restarts again and again, look at its console."),
    FailureClass("interrupted", "Somebody else interrupted the prompt on its server: that is no"
                 " failure, however often it happens.", Again.ANYWHERE, False,
                 "Nothing. If it happens again and again, ask who works on the server by hand."),
    FailureClass("lost_often", "Servers lost this plan's prompt again and again: it may be what"
                 " ends them.", Again.ANYWHERE, True,
                 "Look at the servers' consoles: the plan may need more memory than they have.",
                 Fault.EITHER),
    FailureClass("server_gone", "The server was unreachable for too long, or was given up.",
                 Again.ANYWHERE, False, "Bring the server back, or disable it."),
    FailureClass("set_aside", "The server was set aside for another plan's failure.",
                 Again.ANYWHERE, False, _RESTART),
    FailureClass("missing_on_server", "The server lacks a node class or a model that its lists"
                 " named.", Again.ELSEWHERE, False, "Install what it lacks, or disable it."),
    FailureClass("worker_dead", "Prompts wait on the server and nothing runs: its worker thread"
                 " has died.", Again.ANYWHERE, False, _RESTART),
    FailureClass("occupied", "Somebody else's prompt has run on the server for so long that it may"
                 " hang, and ours waited behind it: the server is set aside until that prompt"
                 " has ended.", Again.ANYWHERE, False,
                 "Look at the server; if that prompt hangs, restart ComfyUI there."),
    FailureClass(SAME_SERVER, "The address leads to a ComfyUI that is registered under another"
                 " address too: the first registered goes on, this one stands aside.",
                 Again.ANYWHERE, False,
                 "Disable this address, or correct it: it is taken back once it leads elsewhere."),
    FailureClass(SEVERAL_SERVERS, "Several ComfyUIs answer at the address in turn: what was posted"
                 " to one is asked of another. The server stands aside.", Again.ANYWHERE, False,
                 "Register each ComfyUI under an address of its own, and disable this one."),
    # The render failed --------------------------------------------------------------------------
    FailureClass("memory_short", "The server ran out of memory; it was told to free what it holds.",
                 Again.ANYWHERE, False, "Nothing: it is tried once more."),
    FailureClass("out_of_memory", "The server ran out of memory although it had freed what it"
                 " could.", Again.ELSEWHERE, True,
                 "Lower the size, or render it on a server with more memory; then retry.",
                 Fault.EITHER),
    FailureClass("cuda_poisoned", "A CUDA error: nothing that this ComfyUI process renders can"
                 " succeed any more. The server is set aside.", Again.ELSEWHERE, True, _RESTART,
                 Fault.EITHER),
    FailureClass("hung", "No progress for longer than its workflow ever took.", Again.ELSEWHERE,
                 True, "Look at the server; raise MADSEA_HUNG_S if the workflow is only slow.",
                 Fault.EITHER),
    FailureClass("node_error", "A node failed.", Again.ELSEWHERE, True,
                 "Read the node's words; correct the parameters or the workflow, then retry.",
                 Fault.EITHER),
    FailureClass("no_output", "The prompt succeeded, but left no file.", Again.ELSEWHERE, True,
                 "The workflow must end in a SaveImage node that is not skipped; then retry.",
                 Fault.EITHER),
    FailureClass("output_missing", "The file that the server names is not there: it was removed,"
                 " or its cache remembers it only.", Again.ELSEWHERE, True,
                 "Somebody removed the file on the server; retry renders it again."),
    FailureClass("unreadable_output", "The file is cut short, or no image, twice in a row.",
                 Again.ELSEWHERE, True,
                 "Retry; if it happens again, look at the server's disk and the workflow.",
                 Fault.EITHER),
    FailureClass("wrong_size", "The image has not the size that the workflow gives it.",
                 Again.ELSEWHERE, True,
                 "Look at what else writes into the server's output folder; then retry.",
                 Fault.EITHER),
    FailureClass("wrong_image", "Another prompt's image lies under the file's name.",
                 Again.ELSEWHERE, True,
                 "Look at what else writes into the server's output folder; then retry."),
    FailureClass("upload_refused", "The server does not take the plan's panel or prompt: too large"
                 " for it, or its disk is full.", Again.ELSEWHERE, True,
                 "Free the server's disk, or raise its --max-upload-size; then retry.",
                 Fault.EITHER),
    FailureClass("prompt_not_taken", "The server answers the prompt with an error again and again,"
                 " and does not have it, while it answers everything else.", Again.ELSEWHERE, True,
                 "Look at the server's console, and at what stands before it; then retry.",
                 Fault.EITHER),
    FailureClass("output_not_given", "The server answers with an error again and again when it is"
                 " asked for the file, while it answers everything else.", Again.ELSEWHERE, True,
                 "Look at the server's console, and at what stands before it; then retry.",
                 Fault.EITHER),
    FailureClass("driver_error", "Madsea's own driver failed at this plan, as nobody foresaw.",
                 Again.ELSEWHERE, True,
                 "Look into the log of `manage.py work`, which says where; report it, then retry.",
                 Fault.OURS),
    # What no server can mend --------------------------------------------------------------------
    FailureClass("no_panel", "The plan has no panel.", Again.NEVER, False,
                 "Import the plan's panel, then retry.",
                 Fault.REQUEST),
    FailureClass("panel_unreadable", "The panel's file cannot be read.", Again.NEVER, False,
                 "Import the plan's panel again, then retry.",
                 Fault.REQUEST),
    FailureClass("invalid_graph", "The parameters cannot be set in the workflow.", Again.NEVER,
                 False, _MEND_GRAPH,
                 Fault.REQUEST),
    FailureClass("graph_refused", "The server refuses the graph.", Again.NEVER, False,
                 "Correct the workflow or the parameter that the message names; what a server lacks"
                 " is installed there. Then retry.",
                 Fault.REQUEST),
    FailureClass("partly_refused", "The server drops some of the graph's outputs.", Again.NEVER,
                 False, _MEND_GRAPH,
                 Fault.REQUEST),
    FailureClass("output_too_large", "The image is larger than Madsea takes.", Again.NEVER, False,
                 "Lower the size, or raise MADSEA_IMAGE_MAX_MIB or MADSEA_IMAGE_MAX_MEGAPIXELS;"
                 " then retry.", Fault.REQUEST),
    FailureClass("too_many_pictures", "The prompt saved more pictures than a plan may have.",
                 Again.NEVER, False, "Lower the batch size; then retry.", Fault.REQUEST),
    FailureClass("output_unusable", "The workflow leaves no still PNG, JPEG or WebP.", Again.NEVER,
                 False, _MEND_GRAPH, Fault.REQUEST),
    FailureClass("versions_exhausted", "The plan has its last version.", Again.NEVER, False,
                 "The plan has its last version: use another plan or project.",
                 Fault.OURS),
    # Our own side -------------------------------------------------------------------------------
    FailureClass("disk_full", "The projects folder cannot be written: the disk is full, or read"
                 " only.", Again.WAIT, False, "Free the disk: what is rendered is fetched then.",
                 Fault.OURS),
    FailureClass("storage_away", "The folder of the project's files cannot be read just now.",
                 Again.ANYWHERE, False, "Nothing: it goes on once the folder is there again.",
                 Fault.OURS),
    FailureClass("not_storable", "The image can never be stored under its name.", Again.NEVER,
                 False, "Mend what lies in the way, as the message says; then retry.",
                 Fault.OURS),
    FailureClass("name_taken", "Another file lies under the version's name: it keeps the name, ours"
                 " takes the next.", Again.WAIT, False, "Nothing; see who writes there by hand.",
                 Fault.OURS),
)  # fmt: skip


def failure(code: str, message: str) -> PlanFailure:
    """Return the failure of a code, with the message of what happened this time."""
    known = FAILURES[code]
    said = message if isinstance(message, Sentence) else message.strip()[:MESSAGE_MOST]
    said = said or Sentence(known.meaning, {})
    return PlanFailure(code, said, Sentence(known.remedy, {}))
