"""What a ComfyUI server says, as typed values: answers over HTTP and frames of its socket."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, TypeAlias

from generation.comfyui.untrusted_json import (
    Json,
    as_list,
    as_mapping,
    integer,
    lenient_json,
    name_or_empty,
    number,
    readable_line,
    readable_text,
    strings,
    text,
)

#: A frame of more bytes is passed over: what ends with it, polling finds.
FRAME_MAX_BYTES = 2**20
#: The most nodes that are taken from a frame, the most files, and the most lines of a traceback.
_NODES_MOST = 2000
_FILES_MOST = 100
_LINES_MOST = 50

Outcome: TypeAlias = Literal["success", "error", "interrupted"]


@dataclass(frozen=True)
class Accepted:
    """The answer to POST /prompt; `node_errors` not empty means that outputs were dropped."""

    prompt_id: str
    number: float
    node_errors: Json


@dataclass(frozen=True)
class Queue:
    """The prompt ids on a server: the running one (at most one), the pending in their order.

    `outputs` are the output nodes that each prompt is to run, where the server names them.
    `by_prefix` are the prompts that save under a file name prefix, in the order they will run.
    """

    running: tuple[str, ...]
    pending: tuple[str, ...]
    outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    by_prefix: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def __contains__(self, prompt_id: object) -> bool:
        return prompt_id in self.running or prompt_id in self.pending

    def n_copies(self, prompt_id: str) -> int:
        """Return how often a prompt is there: twice when it was posted twice."""
        return self.running.count(prompt_id) + self.pending.count(prompt_id)

    def named(self, prefix: str) -> tuple[str, ...]:
        """Return the prompts that save under this prefix, the one that runs first."""
        return self.by_prefix.get(prefix, ())


@dataclass(frozen=True)
class OutputFile:
    """A file that a node left: `type` is `output`, `temp` or `input`; `key` is `images`, ….

    `subfolder` is the server's own spelling and goes back to it unchanged.
    """

    node_id: str
    filename: str
    subfolder: str
    type: str
    key: str = "images"


@dataclass(frozen=True)
class NodeError:
    """What a node said when it failed."""

    node_id: str
    node_type: str
    exception_type: str
    message: str
    traceback: tuple[str, ...] = ()


@dataclass(frozen=True)
class History:
    """How a prompt ended; times are the server's milliseconds, None when it gave none.

    `outputs` are sorted by node id; a success may have none. `error` is None unless the outcome
    is `error` and the server said which node failed. `ran` are the output nodes that it was to run,
    empty when the server does not name them.
    """

    outcome: Outcome
    outputs: tuple[OutputFile, ...]
    error: NodeError | None
    started_at_ms: int | None
    finished_at_ms: int | None
    cached_nodes: tuple[str, ...]
    ran: tuple[str, ...] = ()


@dataclass(frozen=True)
class Device:
    """One device of a server; bytes of its memory, 0 when the server does not say."""

    name: str
    type: str
    vram_total: int
    vram_free: int


@dataclass(frozen=True)
class SystemStats:
    """What a server says of itself; an empty `version` is one that it does not tell."""

    version: str
    os: str
    ram_total: int
    ram_free: int
    devices: tuple[Device, ...]


@dataclass(frozen=True)
class PromptStarted:
    """The server began with the prompt."""

    prompt_id: str


@dataclass(frozen=True)
class Cached:
    """These nodes of the prompt need no work."""

    prompt_id: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Executing:
    """The server works at this node; None: it is through with the prompt."""

    prompt_id: str
    node: str | None


@dataclass(frozen=True)
class StepProgress:
    """Step `value` of `max` of a node; may restart, may never reach `max`, which may be 0."""

    prompt_id: str
    node: str
    value: float
    max: float


@dataclass(frozen=True)
class Executed:
    """An output node has left these files."""

    prompt_id: str
    node: str
    outputs: tuple[OutputFile, ...]


@dataclass(frozen=True)
class PromptSucceeded:
    """The prompt is done; its history is written a moment later."""

    prompt_id: str


@dataclass(frozen=True)
class PromptFailed:
    """A node of the prompt failed."""

    prompt_id: str
    error: NodeError


@dataclass(frozen=True)
class PromptInterrupted:
    """The prompt was stopped."""

    prompt_id: str


@dataclass(frozen=True)
class QueueStatus:
    """How many prompts, of anybody, are on the server."""

    remaining: int


Event: TypeAlias = (
    PromptStarted | Cached | Executing | StepProgress | Executed
    | PromptSucceeded | PromptFailed | PromptInterrupted | QueueStatus
)  # fmt: skip


def parse_history(entry: object) -> History:
    """Read one entry of GET /history/{id}: `{prompt, outputs, status: {status_str, messages}}`.

    The outcome is the last terminal message, else what `status_str` says, else whether there are
    outputs. Source: protocol.md §5.
    """
    record = as_mapping(entry)
    status = as_mapping(record.get("status"))
    messages = list(_messages(status.get("messages")))
    outputs = parse_outputs(record.get("outputs"))
    terminal = [(kind, said) for kind, said in messages if _is_terminal(kind, said)]
    kind, last = terminal[-1] if terminal else ("", {})
    outcome = _TERMINAL.get(kind) or _fallback(status.get("status_str"), outputs)
    return History(
        outcome=outcome,
        outputs=outputs,
        error=node_error(last) if kind == "execution_error" else None,
        started_at_ms=_timestamp(messages, "execution_start"),
        finished_at_ms=integer(last.get("timestamp")),
        cached_nodes=_cached_nodes(messages),
        ran=outputs_to_run(record.get("prompt")),
    )


def outputs_to_run(item: object) -> tuple[str, ...]:
    """Read which output nodes a prompt runs: `[number, id, graph, extra_data, [node id, …]]`.

    Empty when the server does not say. Source: protocol.md §5.
    """
    parts = as_list(item)
    return strings(parts[4]) if len(parts) > 4 else ()


def prefixes(item: object) -> set[str]:
    """Read under which file name prefixes a prompt saves, from its graph in queue or history.

    Source: protocol.md §5.
    """
    parts = as_list(item)
    graph = as_mapping(parts[2]) if len(parts) > 2 else {}
    inputs = (as_mapping(as_mapping(node).get("inputs")) for node in graph.values())
    return {text(each, "filename_prefix") for each in inputs} - {""}


def parse_frame(frame: str | bytes) -> Event | None:
    """Read one frame of the socket; None for previews, unknown types and what belongs to nobody.

    A blocked branch (`ExecutionBlocked`) is no failure: the prompt goes on. Source: protocol.md §6.
    """
    # All of ComfyUI's frames of text are JSON objects; a preview begins with its kind, a number.
    if len(frame) > FRAME_MAX_BYTES or frame[:1] not in {"{", b"{"}:
        return None
    try:
        message = as_mapping(lenient_json(frame))
    except ValueError:
        return None
    said = as_mapping(message.get("data"))
    if message.get("type") == "status":
        return _queue_status(said)
    read = _FRAMES.get(text(message, "type"))
    prompt_id = name_or_empty(said, "prompt_id")
    return read(prompt_id, said) if read and prompt_id else None


def parse_outputs(outputs: object) -> tuple[OutputFile, ...]:
    """Read `{node id: {key: [file, …]}}`, sorted by node id; what is no file is skipped."""
    files = [
        file
        for node_id, by_key in as_mapping(outputs).items()
        for file in parse_files(node_id, by_key)
    ]
    return tuple(sorted(files, key=lambda file: (len(file.node_id), file.node_id)))


def parse_files(node_id: str, by_key: object) -> Iterator[OutputFile]:
    """Yield the files among what one node left; strings, flags and NaN are no files."""
    for key, files in as_mapping(by_key).items():
        for entry in as_list(files):
            filename = name_or_empty(entry, "filename")
            if filename:
                subfolder, kind = (
                    name_or_empty(entry, "subfolder"),
                    name_or_empty(entry, "type") or "output",
                )
                yield OutputFile(node_id, filename, subfolder, kind, key)


def node_error(said: Json) -> NodeError:
    """Read an `execution_error` message; what it leaves out is empty."""
    return NodeError(
        node_id=readable_line(said.get("node_id")),
        node_type=readable_line(said.get("node_type")),
        exception_type=readable_line(said.get("exception_type")),
        message=readable_text(said.get("exception_message")).strip(),
        traceback=tuple(map(readable_text, as_list(said.get("traceback"))[-_LINES_MOST:])),
    )


def is_blocked(said: Json) -> bool:
    """Tell the error of a blocked branch, after which the prompt goes on.

    Source: protocol.md §7.
    """
    return said.get("exception_type") == "ExecutionBlocked"


_TERMINAL: dict[str, Outcome] = {
    "execution_success": "success",
    "execution_error": "error",
    "execution_interrupted": "interrupted",
}


def _is_terminal(kind: str, said: Json) -> bool:
    return kind in _TERMINAL and not is_blocked(said)


def _fallback(status_str: object, outputs: tuple[OutputFile, ...]) -> Outcome:
    if isinstance(status_str, str):
        return "success" if status_str == "success" else "error"
    return "success" if outputs else "error"


def _messages(messages: object) -> Iterable[tuple[str, Json]]:
    for message in messages if isinstance(messages, list) else []:
        if isinstance(message, list) and len(message) == 2 and isinstance(message[0], str):
            yield message[0], as_mapping(message[1])


def _timestamp(messages: list[tuple[str, Json]], wanted: str) -> int | None:
    return next((integer(said.get("timestamp")) for kind, said in messages if kind == wanted), None)


def _cached_nodes(messages: list[tuple[str, Json]]) -> tuple[str, ...]:
    return tuple(
        node
        for kind, said in messages
        if kind == "execution_cached"
        for node in strings(said.get("nodes"))
    )


def _queue_status(said: Json) -> QueueStatus | None:
    exec_info = as_mapping(as_mapping(said.get("status")).get("exec_info"))
    remaining = integer(exec_info.get("queue_remaining"))
    return None if remaining is None else QueueStatus(remaining)


def _executing(prompt_id: str, said: Json) -> Executing | None:
    node = said.get("node")
    if node is None and "node" in said:
        return Executing(prompt_id, None)
    return Executing(prompt_id, readable_line(node)) if isinstance(node, str) else None


def _nodes(said: Json) -> tuple[str, ...]:
    return tuple(map(readable_line, as_list(said.get("nodes"))[:_NODES_MOST]))


def _progress(prompt_id: str, said: Json) -> StepProgress | None:
    value, maximum = number(said.get("value")), number(said.get("max"))
    if value is None or maximum is None:
        return None
    return StepProgress(prompt_id, readable_line(said.get("node")), value, maximum)


def _executed(prompt_id: str, said: Json) -> Executed:
    node = readable_line(said.get("node"))
    files = islice(parse_files(node, said.get("output")), _FILES_MOST)
    return Executed(prompt_id, node, tuple(files))


def _failed(prompt_id: str, said: Json) -> PromptFailed | None:
    return None if is_blocked(said) else PromptFailed(prompt_id, node_error(said))


_FRAMES: dict[str, Callable[[str, Json], Event | None]] = {
    "execution_start": lambda prompt_id, _: PromptStarted(prompt_id),
    "execution_cached": lambda prompt_id, said: Cached(prompt_id, _nodes(said)),
    "executing": _executing,
    "progress": _progress,
    "executed": _executed,
    "execution_success": lambda prompt_id, _: PromptSucceeded(prompt_id),
    "execution_error": _failed,
    "execution_interrupted": lambda prompt_id, _: PromptInterrupted(prompt_id),
}
