"""The HTTP side of one ComfyUI server: every request that Madsea makes of it, typed.

Polling through here is the truth about a prompt; the socket is only a hint.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from generation.comfyui import address
from generation.comfyui.address import Endpoint
from generation.comfyui.errors import BadAnswer, FileMissing, Refused
from generation.comfyui.http_transport import (
    BIG_MAX_BYTES,
    SMALL_MAX_BYTES,
    Answer,
    Request,
    Timeouts,
    Transport,
    check,
    excerpt,
)
from generation.comfyui.protocol import (
    Accepted,
    Device,
    History,
    OutputFile,
    Queue,
    SystemStats,
    outputs_to_run,
    parse_history,
    prefixes,
)
from generation.comfyui.untrusted_json import (
    Json,
    as_list,
    as_mapping,
    exact_json,
    exact_text,
    integer,
    lenient_json,
    name_or_empty,
    number,
    readable_line,
    readable_text,
    strings,
    text,
)
from wording import say

_DEFAULT_TIMEOUTS = Timeouts()
#: How many of the latest prompts are looked through for one whose id is not known.
HISTORY_MOST = 100
_ADDRESSABLE = re.compile(r"(?!\.{1,2}$)[^\x00-\x1f\x7f]{1,128}")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ROUTE_ABSENT = frozenset({404, 405})


class Client:
    """Talks to the ComfyUI server at an address (`http://host:8188`, a path after it allowed).

    `headers` go with every request, for servers behind a login. Every method raises Unreachable,
    Denied, BadAnswer or TooLarge; what else it may raise it says. Safe to use from two threads.
    `before` is called before each request, and may raise to prevent it.
    """

    def __init__(
        self,
        where: str | Endpoint,
        *,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts = _DEFAULT_TIMEOUTS,
        before: Callable[[Request], None] = lambda _: None,
    ) -> None:
        self._where = address.endpoint(where, headers)
        self._transport = Transport(self._where, timeouts, before)

    def close(self) -> None:
        """Close the connections to the server."""
        self._transport.close()

    def drop_connection(self) -> None:
        """Make the next request over a connection of its own: another server may answer it."""
        self._transport.close()

    def queue_remaining(self) -> int:
        """Return how many prompts, of anybody, run or wait: the cheapest sign of life."""
        remaining = integer(
            as_mapping(self._get("/prompt").get("exec_info")).get("queue_remaining")
        )
        if remaining is None:
            raise BadAnswer(say("The server does not say how long its queue is: is it a ComfyUI?"))
        return remaining

    def post_prompt(
        self,
        graph: Mapping[str, object],
        *,
        prompt_id: str,
        client_id: str,
        extra_data: Json | None = None,
    ) -> Accepted:
        """Queue the graph, in API format; the answer's id is the one that counts.

        `prompt_id` is proposed, and a ComfyUI before 0.3.45 draws another. Raises Refused on a
        400. After an error with `maybe_sent` the prompt may be queued: look for its id and for
        its file name prefix before posting again. Source: protocol.md §3.
        """
        body: Json = {"prompt": graph, "prompt_id": _uuid(prompt_id), "client_id": client_id}
        extra = (extra_data or {}) | _payment(self._where.partner_key)
        if extra:
            body["extra_data"] = extra
        answer = self._transport.send(_post("/prompt", body))
        if answer.status == 400:
            raise _refusal(answer)
        return _accepted(_object(check(answer), maybe_sent=True))

    def queue(self) -> Queue:
        """Return the ids of the running and the pending prompts. Source: protocol.md §5."""
        answer = self._get("/queue", BIG_MAX_BYTES)
        running, pending = answer.get("queue_running"), answer.get("queue_pending")
        if not isinstance(running, list) or not isinstance(pending, list):
            raise BadAnswer(say("The server's queue is not a ComfyUI's."))
        entries = _found(running) + _found(pending)
        outputs = {prompt_id: outputs_to_run(item) for item, (_, prompt_id) in entries}
        ids = _ids(running), _ids(pending)
        return Queue(*ids, outputs=outputs, by_prefix=_by_prefix(entries, ids[0] + ids[1]))

    def history(self, prompt_id: str) -> History | None:
        """Return how the prompt ended; None while it has not, and when it is unknown."""
        answer = self._get(f"/history/{_addressable(prompt_id)}", BIG_MAX_BYTES)
        entry = answer.get(prompt_id)
        if entry is None:
            return None
        if not isinstance(entry, dict):
            raise BadAnswer(say("The server's history is not a ComfyUI's."))
        return parse_history(entry)

    def find_ended(self, prefix: str) -> tuple[str, History] | None:
        """Return the latest prompt that saved under a prefix, and how it ended; None for none.

        For a prompt whose id is not known, among the latest that have ended.
        """
        params = {"max_items": str(HISTORY_MOST)}
        latest = Request("GET", "/history", params=params, max_bytes=BIG_MAX_BYTES)
        entries = _object(check(self._transport.send(latest)))
        for prompt_id, entry in reversed(entries.items()):
            is_usable = is_addressable(prompt_id) and isinstance(entry, dict)
            if is_usable and prefix in prefixes(as_mapping(entry).get("prompt")):
                return prompt_id, parse_history(entry)
        return None

    def delete_pending(self, ids: Iterable[str]) -> None:
        """Take these prompts out of the queue; running and unknown ones are not touched."""
        doomed = list(ids)
        if doomed:
            check(self._transport.send(_post("/queue", {"delete": doomed})))

    def interrupt(self, prompt_id: str) -> None:
        """Stop the prompt if it runs; servers older than autumn 2025 stop whatever runs."""
        check(self._transport.send(_post("/interrupt", {"prompt_id": prompt_id})))

    def cancel_job(self, prompt_id: str) -> bool | None:
        """Cancel the prompt, pending or running, in one step.

        False: it was finished or unknown. None: the server has no such route, so delete it from
        the queue and interrupt it. Source: protocol.md §2.
        """
        answer = self._transport.send(_post(f"/api/jobs/{_addressable(prompt_id)}/cancel", {}))
        if answer.status in _ROUTE_ABSENT:
            return None
        return _object(check(answer), maybe_sent=True).get("cancelled") is True

    def ask_for_jobs_api(self) -> bool:
        """Tell whether the server has `/api/jobs` (since December 2025).

        Somebody's odd prompt in its history makes the list answer 500 for everybody: then the route
        is there all the same. Source: protocol.md §2.
        """
        answer = self._transport.send(Request("GET", "/api/jobs", params={"limit": "1"}))
        if answer.status != 200:
            return answer.status not in _ROUTE_ABSENT
        return "jobs" in _object(answer)

    def free(self) -> None:
        """Have the server drop its models and cached results, before its next prompt."""
        wanted: Json = {"unload_models": True, "free_memory": True}
        check(self._transport.send(_post("/free", wanted)))

    def upload_image(self, filename: str, content: bytes, *, subfolder: str) -> str:
        """Upload an input image and return what LoadImage calls it: `subfolder/name`.

        The server may rename it when the name exists with other bytes, so use what is returned.
        Source: protocol.md §12.
        """
        files: dict[str, tuple[str, bytes] | str] = {
            "image": (filename, content),
            "subfolder": subfolder,
            "type": "input",
            "overwrite": "false",
        }
        answer = _object(check(self._transport.send(Request("POST", "/upload/image", files=files))))
        given = name_or_empty(answer, "name")
        if not given:
            raise BadAnswer(say("The server does not say under which name it keeps the image."))
        folder = name_or_empty(answer, "subfolder")
        return f"{folder}/{given}" if folder else given

    def view(self, output: OutputFile, *, max_bytes: int) -> bytes:
        """Fetch the file; its content is not looked at.

        Raises FileMissing when the server does not have it (any more), TooLarge over `max_bytes`.
        """
        answer = self._transport.send(_view(output, max_bytes))
        if answer.status in {400, 404}:
            raise FileMissing(
                say(
                    "The server does not have the file “{filename}”.",
                    filename=readable_line(output.filename),
                )
            )
        return check(answer).body

    def view_exists(self, output: OutputFile) -> bool:
        """Tell whether the server has the file, without fetching it."""
        answer = self._transport.status_only(_view(output, 0))
        return answer.status not in {400, 404} and check(answer).status == 200

    def object_info(self) -> Json:
        """Return the server's node definitions, by class; several MB on some servers.

        All their texts are on one line: they are names, of which none may pass for two.
        """
        asked = Request("GET", "/object_info", max_bytes=BIG_MAX_BYTES)
        return _object(check(self._transport.send(asked)), is_of_names=True)

    def embeddings(self) -> tuple[str, ...]:
        """Return the names of the server's embeddings, without suffix."""
        answer = check(self._transport.send(Request("GET", "/embeddings", max_bytes=BIG_MAX_BYTES)))
        try:
            return strings(lenient_json(answer.body, is_of_names=True))
        except ValueError as error:
            raise BadAnswer(say("The server's embeddings cannot be read as JSON.")) from error

    def system_stats(self) -> SystemStats:
        """Return what the server says of itself; what it leaves out is empty or 0."""
        answer = self._get("/system_stats")
        system = as_mapping(answer.get("system"))
        return SystemStats(
            version=readable_line(system.get("comfyui_version")),
            os=readable_line(system.get("os")),
            ram_total=integer(system.get("ram_total")) or 0,
            ram_free=integer(system.get("ram_free")) or 0,
            devices=tuple(_device(as_mapping(device)) for device in as_list(answer.get("devices"))),
        )

    def _get(self, path: str, max_bytes: int = SMALL_MAX_BYTES) -> Json:
        return _object(check(self._transport.send(Request("GET", path, max_bytes=max_bytes))))


def _payment(partner_key: str) -> Json:
    """The key that partner nodes pay with; servers keep it out of what they tell, mostly."""
    return {"api_key_comfy_org": partner_key} if partner_key else {}


def _post(path: str, body: Json) -> Request:
    return Request("POST", path, body=exact_json(body))


def _view(output: OutputFile, max_bytes: int) -> Request:
    spelled = {"filename": output.filename, "subfolder": output.subfolder, "type": output.type}
    params = {key: exact_text(value) for key, value in spelled.items()}
    return Request("GET", "/view", params=params, max_bytes=max_bytes, is_file=True)


def is_addressable(prompt_id: str) -> bool:
    """Tell whether a prompt can be asked for by its id, which may be of a server's choosing."""
    return bool(_ADDRESSABLE.fullmatch(prompt_id))


def _addressable(prompt_id: str) -> str:
    if not is_addressable(prompt_id):
        raise ValueError(say("{prompt_id!r} cannot be part of an address.", prompt_id=prompt_id))
    return quote(prompt_id, safe="")


def _uuid(prompt_id: str) -> str:
    if not _UUID.fullmatch(prompt_id):
        raise ValueError(say("{prompt_id!r} is no lowercase UUID.", prompt_id=prompt_id))
    return prompt_id


def _object(answer: Answer, *, maybe_sent: bool = False, is_of_names: bool = False) -> Json:
    try:
        value = lenient_json(answer.body, is_of_names=is_of_names)
    except ValueError as error:
        raise BadAnswer(
            say(
                "The server answers something that cannot be read as JSON: {answer}",
                answer=excerpt(answer),
            ),
            maybe_sent=maybe_sent,
        ) from error
    if not isinstance(value, dict):
        raise BadAnswer(say("The server answers JSON of another shape."), maybe_sent=maybe_sent)
    return value


def _refusal(answer: Answer) -> Refused | BadAnswer:
    try:
        body = _object(answer)
    except BadAnswer as unreadable:
        return unreadable
    error = as_mapping(body.get("error"))
    return Refused(
        error_type=readable_line(error.get("type")),
        message=readable_text(error.get("message")),
        details=readable_text(error.get("details")),
        node_errors=as_mapping(body.get("node_errors")),
    )


def _accepted(body: Json) -> Accepted:
    prompt_id = text(body, "prompt_id")
    if not is_addressable(prompt_id):
        raise BadAnswer(say("The server does not acknowledge the prompt."), maybe_sent=True)
    queue_number = number(body.get("number")) or 0.0
    return Accepted(prompt_id, queue_number, as_mapping(body.get("node_errors")))


def _ids(items: list[object]) -> tuple[str, ...]:
    """Return the prompt ids in the order they will run; the server's list is a heap."""
    return tuple(prompt_id for _, prompt_id in sorted(found for _, found in _found(items)))


def _found(items: list[object]) -> list[tuple[object, tuple[float, str]]]:
    return [(item, number_and_id) for item in items if (number_and_id := _number_and_id(item))]


def _by_prefix(
    found: list[tuple[object, tuple[float, str]]], order: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    saved: dict[str, set[str]] = {}
    for item, (_, prompt_id) in found:
        for prefix in prefixes(item) if is_addressable(prompt_id) else ():
            saved.setdefault(prefix, set()).add(prompt_id)
    place = {prompt_id: index for index, prompt_id in reversed(list(enumerate(order)))}
    return {prefix: tuple(sorted(ids, key=place.__getitem__)) for prefix, ids in saved.items()}


def _number_and_id(item: object) -> tuple[float, str] | None:
    if not isinstance(item, list) or len(item) < 2 or not isinstance(item[1], str):
        return None
    return (number(item[0]) or 0.0, item[1])


def _device(device: Json) -> Device:
    return Device(
        name=readable_line(device.get("name")),
        type=readable_line(device.get("type")),
        vram_total=integer(device.get("vram_total")) or 0,
        vram_free=integer(device.get("vram_free")) or 0,
    )
