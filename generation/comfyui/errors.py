"""What can go wrong with a ComfyUI server, as one tree.

::

    ComfyError          a server; its words are bounded and clean, whatever it said
    ├── Unreachable     no answer; worth trying again
    │   └── Intercepted     a proxy's 5xx in its place
    ├── Refused         POST /prompt was understood and refused (400)
    ├── Denied          401 or 403: a login, a token, the Origin rule
    ├── BadAnswer       an answer that is not ComfyUI's, or the server's own 500
    ├── TooLarge        over the server's limit (413) or over ours
    └── FileMissing     the server does not have the file
"""

from itertools import accumulate

from generation.comfyui.untrusted_json import (
    WORDS_MOST,
    as_list,
    as_mapping,
    readable_line,
    readable_text,
)
from wording import Sentence, in_turn, say, to_say

#: So many things that a server finds wrong with a graph are told.
_SENTENCES_MOST = 20
#: Characters that "And 15,000 more." takes in any language.
_ROOM_FOR_MORE = 60


def title(error: type[Exception]) -> Sentence:
    """Return the first line of an error's docstring: its default message."""
    return Sentence((error.__doc__ or "").partition("\n")[0], {})


class ComfyError(Exception):
    """A ComfyUI server did not do what it was asked."""

    def __init__(self, detail: str = "") -> None:
        given = detail or title(type(self))
        self.detail = given if isinstance(given, Sentence) else readable_text(given)
        super().__init__(self.detail)


class Unreachable(ComfyError):
    """The ComfyUI server does not answer.

    `maybe_sent`: the request may have reached the server, so that what it asked for may happen.
    """

    def __init__(self, detail: str = "", *, maybe_sent: bool = False) -> None:
        super().__init__(detail)
        self.maybe_sent = maybe_sent


class Intercepted(Unreachable):
    """A proxy answers in the server's place."""


class Denied(ComfyError):
    """The server, or a proxy before it, denies access: check the token among the server's headers.

    ComfyUI itself answers 403 when the Origin and Host headers of a request to a loopback address
    differ; a proxy that rewrites Host causes that. Source: protocol.md §1.
    """


class BadAnswer(ComfyError):
    """The server's answer is not what ComfyUI would answer.

    `maybe_sent`: what was asked for may have been done all the same (a 500 after queueing).
    """

    def __init__(self, detail: str = "", *, maybe_sent: bool = False) -> None:
        super().__init__(detail)
        self.maybe_sent = maybe_sent


#: Errors that were answered: while other requests are answered well, they are about this very one.
ANSWERED = (BadAnswer, Denied, Intercepted)


class TooLarge(ComfyError):
    """What was to be sent or fetched is larger than allowed."""


class FileMissing(ComfyError):
    """The server does not have the file."""


class Refused(ComfyError):
    """The server refuses the graph.

    `error_type`, `message`, `details` are the answer's `error`; `node_errors` maps node ids to
    `{"class_type": …, "errors": […]}`. Source: protocol.md §4.
    """

    def __init__(
        self, error_type: str, message: str, details: str, node_errors: dict[str, object]
    ) -> None:
        self.error_type = error_type
        self.message = message
        self.details = details
        self.node_errors = node_errors
        super().__init__(in_turn(self.sentences()))

    def sentences(self) -> list[Sentence]:
        """Say each thing that is wrong in one sentence: class, node, input, received value.

        The server's order is arbitrary, so nodes are sorted by id. Never empty: without errors
        of nodes, the one sentence is the answer's own message. They fit together into what is kept
        of a server's words: of too many, the last says how many more there are.
        """
        errors = [
            (node_id, as_mapping(node), as_mapping(error))
            for node_id, node in sorted(self.node_errors.items(), key=_node_order)
            for error in as_list(as_mapping(node).get("errors"))
        ]
        said = _as_many_as_fit([_sentence(*node_error) for node_error in errors[:_SENTENCES_MOST]])
        if len(errors) > len(said):
            said.append(say("And {n:,} more.", n=len(errors) - len(said)))
        return said or [
            _whole(readable_text(self.message or self.error_type), readable_text(self.details))
        ]


def _as_many_as_fit(sentences: list[Sentence]) -> list[Sentence]:
    """Return the first of them that fit into what is kept of a server's words, one a line.

    There is room left for one more, which says how many more there are.
    """
    ends = accumulate(len(sentence) + 1 for sentence in sentences)
    most = WORDS_MOST - _ROOM_FOR_MORE
    fitting = [sentence for sentence, end in zip(sentences, ends, strict=True) if end <= most]
    return fitting or sentences[:1]


_WORDS = {
    "required_input_missing": to_say("{input} is missing."),
    "value_smaller_than_min": to_say("{input} is {value}, less than the server allows{bound}."),
    "value_bigger_than_max": to_say("{input} is {value}, more than the server allows{bound}."),
    "value_not_in_list": to_say("{input} is {value}, which this server does not have."),
    "invalid_input_type": to_say("{input} is {value}, which is of the wrong type."),
    "return_type_mismatch": to_say("{input} is linked to an output of the wrong type{types}."),
    "bad_linked_input": to_say("{input} is {value}, which is neither a value nor a link."),
    "dependency_cycle": to_say("it depends on its own output."),
}
_BOUNDS = {"value_smaller_than_min": "min", "value_bigger_than_max": "max"}


def _sentence(node_id: str, node: dict[str, object], error: dict[str, object]) -> Sentence:
    kind = str(error.get("type", ""))
    extra = as_mapping(error.get("extra_info"))
    if kind in _WORDS:
        name = extra.get("input_name")
        parts = {
            "input": readable_line(str(name), 200) if name else say("an input"),
            "value": _shown(extra.get("received_value")),
            "bound": _bound(kind, extra),
            "types": _types(extra),
        }
        said = Sentence(_WORDS[kind], parts)
    else:
        message, details = str(error.get("message") or kind), str(error.get("details") or "")
        said = _whole(readable_line(message, 300), readable_line(details, 300))
    of_class = readable_line(str(node.get("class_type", "Node")), 100)
    return say(
        "{node} (node {node_id}): {said}",
        node=of_class,
        node_id=readable_line(node_id, 60),
        said=said,
    )


def _bound(kind: str, extra: dict[str, object]) -> str:
    config = as_list(extra.get("input_config"))
    bound = as_mapping(config[1]).get(_BOUNDS.get(kind, "")) if len(config) > 1 else None
    return "" if bound is None else f" ({_BOUNDS[kind]} {bound})"


def _types(extra: dict[str, object]) -> str:
    config = as_list(extra.get("input_config"))
    received = extra.get("received_type")
    if not config or not received:
        return ""
    return say(": {received} instead of {wanted}", received=received, wanted=config[0])


def _whole(message: str, details: str) -> Sentence:
    said = message.strip().rstrip(".") or say("the server refuses it")
    if details.strip():
        return say("{said}: {details}", said=said, details=details.strip())
    return say("{said}.", said=said)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _node_order(item: tuple[str, object]) -> tuple[int, str]:
    return (len(item[0]), item[0])
