"""The process that decodes: `python -m generation.decoding.child_main`, fed through its pipes.

It writes no files and holds no secrets. What a job may cost, the kernel sees to: too much memory is
not given, too much computing ends the process, and so does the end of whoever asked, at any moment.
"""

import os
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

from generation.decoding import (
    child_protocol,
    image_header,
    pillow_images,
    process_limits,
    webp_chunks,
    workflow_texts,
)
from generation.decoding.child_protocol import DecodingJob
from generation.decoding.image_containers import damaged
from generation.examined_images import UnreadableImage
from wording import say

_PIPE = 0
#: What decoding a pixel takes at most: a WebP is decoded as a film, with the picture before.
_BYTES, _WEBP_BYTES = 12, 17


def main() -> None:
    """Answer one request after the other, until nobody is there to ask."""
    _give_up_rights()
    incoming, outgoing = os.fdopen(_PIPE, "rb"), os.fdopen(1, "wb")
    # Whatever prints must not print into an answer.
    sys.stdout = sys.stderr
    with suppress(BrokenPipeError):
        while line := incoming.readline():
            job, n_bytes = child_protocol.job_of(line)
            content = incoming.read(n_bytes)
            _write(outgoing, _answer(job, content))


def _give_up_rights() -> None:
    process_limits.limit_files(0)
    process_limits.heed_signals(_PIPE)


def _write(outgoing: BinaryIO, pieces: list[bytes]) -> None:
    outgoing.writelines(pieces)
    outgoing.flush()


def _answer(job: DecodingJob, content: bytes) -> list[bytes]:
    _limit(job)
    try:
        return _done(job, content)
    except UnreadableImage as error:
        return child_protocol.refusal_message(error)
    except MemoryError:
        return child_protocol.refusal_message(_too_much_memory(job))
    except Exception as error:  # noqa: BLE001 - the boundary: whatever a decoder stumbles over
        sys.stderr.write(f"decoding: {type(error).__name__}: {error}\n")
        return child_protocol.refusal_message(damaged())
    finally:
        _unlimit()


def _done(job: DecodingJob, content: bytes) -> list[bytes]:
    if job.text_bytes:
        return child_protocol.texts_message(workflow_texts.read(content, job.text_bytes))
    _refuse_costly(job, content)
    if job.widths_px:
        small = pillow_images.reduce(content, widths_px=job.widths_px, max_pixels=job.max_pixels)
        return child_protocol.reduced_message(small)
    if job.is_sketched:
        return child_protocol.sketch_message(
            pillow_images.sketch(content, max_pixels=job.max_pixels)
        )
    examined = pillow_images.examine(
        content, max_pixels=job.max_pixels, wants_served=job.wants_served
    )
    return child_protocol.examined_message(examined)


def _refuse_costly(job: DecodingJob, content: bytes) -> None:
    """Refuse beforehand what decoders would call damaged for want of memory."""
    size = image_header.claimed_size(content)
    bytes_per_pixel = _WEBP_BYTES if webp_chunks.is_webp(content) else _BYTES
    if size is not None and size[0] * size[1] * bytes_per_pixel > job.memory_bytes:
        pillow_images.check_size(size, job.max_pixels)
        raise _too_much_memory(job)


def _too_much_memory(job: DecodingJob) -> UnreadableImage:
    detail = say(
        "Decoding it takes more than {most:,} MiB of memory.",
        most=job.memory_bytes // 2**20,
    )
    return UnreadableImage("too_costly", detail)


def _limit(job: DecodingJob) -> None:
    process_limits.limit_memory(job.memory_bytes)
    signal.setitimer(signal.ITIMER_PROF, job.cpu_s)
    process_limits.watch(_PIPE, is_watched=True)


def _unlimit() -> None:
    process_limits.watch(_PIPE, is_watched=False)
    signal.setitimer(signal.ITIMER_PROF, 0)
    process_limits.unlimit_memory()


if __name__ == "__main__":
    main()
