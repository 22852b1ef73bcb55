"""What a child process is asked and what it answers: a line of JSON each, and bytes behind it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from typing import Any

from generation.examined_images import DecodedImage, Examined, UnreadableImage
from wording import as_json, from_json


@dataclass(frozen=True)
class DecodingJob:
    """What is to be done with an image, and what that may cost."""

    max_pixels: int
    memory_bytes: int  #: beside what the process itself takes
    cpu_s: float
    wants_served: bool = True  #: whether it is asked what of the image is to be served
    widths_px: Sequence[int] = ()  #: of its small pictures; none: it is to be examined
    is_sketched: bool = False  #: whether its sketch is asked for
    text_bytes: int = 0  #: how long a text of the workflow in it may be; 0: none is asked for


def request(job: DecodingJob, content: bytes) -> list[bytes]:
    """Return the message that asks for a job."""
    return [_line(asdict(job) | {"n_bytes": len(content)}), content]


def job_of(line: bytes) -> tuple[DecodingJob, int]:
    """Return the job that a line asks for, and how many bytes the image has."""
    fields = json.loads(line)
    n_bytes = fields.pop("n_bytes")
    return DecodingJob(**fields), n_bytes


def examined_message(found: Examined) -> list[bytes]:
    """Return the message that says how an image is."""
    served = found.served or b""
    fields = {"decoded": asdict(found.decoded), "is_rewritten": found.served is not None}
    return [_line(fields | {"n_bytes": len(served)}), served]


def reduced_message(small: Sequence[bytes]) -> list[bytes]:
    """Return the message that brings small pictures."""
    lengths = [len(picture) for picture in small]
    return [_line({"n_bytes": sum(lengths), "lengths": lengths}), *small]


def sketch_message(sketch: bytes) -> list[bytes]:
    """Return what brings the sketch of a picture."""
    return [_line({"n_bytes": len(sketch)}), sketch]


def texts_message(found: dict[str, str]) -> list[bytes]:
    """Return the message that brings the texts of a picture."""
    body = json.dumps(found).encode()
    return [_line({"n_bytes": len(body)}), body]


def refusal_message(error: UnreadableImage) -> list[bytes]:
    """Return the message that says why an image cannot be used."""
    return [_line({"refused": [error.code, as_json(error.detail)], "n_bytes": 0})]


@dataclass(frozen=True)
class ChildAnswer:
    """What a child has answered."""

    fields: dict[str, Any]
    body: bytes

    def examined(self) -> Examined:
        """Return how the image is."""
        decoded = DecodedImage(**self.fields["decoded"])
        return Examined(decoded, self.body if self.fields["is_rewritten"] else None)

    def reduced(self) -> list[bytes]:
        """Return the small pictures, in the order in which they were asked for."""
        ends = list(accumulate(self.fields["lengths"], initial=0))
        return [self.body[start:end] for start, end in pairwise(ends)]

    def sketch(self) -> bytes:
        """Return the sketch of the picture."""
        return self.body

    def texts(self) -> dict[str, str]:
        """Return the texts of the picture, by their names."""
        return dict(json.loads(self.body))

    def raise_refusal(self) -> None:
        """Raise UnreadableImage, if that is the answer."""
        if "refused" in self.fields:
            raise UnreadableImage(*from_json(self.fields["refused"]))


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode() + b"\n"
