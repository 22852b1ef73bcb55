"""What there is to say of a workflow: remarks, and questions that its graph does not answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """Something to know about a workflow: stable code, sentence, the node that it is about."""

    code: str
    detail: str
    node: str = ""


@dataclass(frozen=True)
class OpenQuestion:
    """Something that the graph does not tell: what could be the answer, by node id."""

    code: str
    detail: str
    options: tuple[str, ...]
