"""Transfers: threads that move files, so that submitting never waits for a download.

They upload panels, and fetch, decode, hash and stage images. They never touch the database: what
came of it goes into the driver's inbox.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue

from django.conf import settings

from generation import image_decoding, showable_files, storage
from generation.comfyui import split_probes
from generation.comfyui.client import Client
from generation.comfyui.errors import ComfyError, FileMissing
from generation.comfyui.protocol import Event, OutputFile
from generation.driver.observations import (
    Observation,
    PanelNotUploaded,
    PanelUploaded,
    PicturesFetched,
    PicturesNotFetched,
)
from generation.errors import BadImage, Busy
from generation.models import Version
from generation.services import image_staging
from generation.services.publication import Image, discard
from wording import say

FOLDER = "madsea"
#: How often a file that is named and not there is asked for.
TIMES_ASKED = 6


@dataclass(frozen=True)
class TransferDone:
    """What came of a transfer for an attempt."""

    attempt_id: int
    observation: Observation

    @property
    def has_pictures(self) -> bool:
        """Whether pictures are staged, and wait to be published."""
        return isinstance(self.observation, PicturesFetched)


@dataclass(frozen=True)
class TransferFailed:
    """A thread failed as nobody foresaw."""

    attempt_id: int
    problem: Exception


@dataclass(frozen=True)
class SocketClosed:
    """The socket is gone, or could not be opened: until it is back, polling is all there is."""

    was_open: bool = True


Message = Event | TransferDone | TransferFailed | SocketClosed
Inbox = SimpleQueue[Message]

TROUBLE = (ComfyError, storage.StorageError, BadImage, Busy)


class Transfers:
    """Two threads of one driver; `inbox` receives what they did."""

    def __init__(self, client: Client, inbox: Inbox) -> None:
        self._client = client
        self._inbox = inbox
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="transfer")
        self._is_warm = False

    def warm_up(self) -> None:
        """Start what decodes pictures, once: it takes a while, and nothing waits for it yet."""
        if not self._is_warm:
            self._is_warm = True
            self._pool.submit(image_decoding.warm_up)

    def upload(self, attempt_id: int, panel: Version, name: str, marks: storage.Marks) -> None:
        """Upload what is shown of a panel under a name that stands for it."""
        self._submit(self._upload, attempt_id, panel, name, marks)

    def fetch(self, attempt_id: int, outputs: tuple[OutputFile, ...], to: storage.Target) -> None:
        """Fetch a server's files, decode and stage them where they are to be published."""
        self._submit(self._fetch, attempt_id, outputs, to)

    def close(self) -> None:
        """Take nothing more on; what is under way ends by its time limits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, work: Callable[..., Observation], attempt_id: int, *args: object) -> None:
        self._pool.submit(self._run, work, attempt_id, *args)

    def _run(self, work: Callable[..., Observation], attempt_id: int, *args: object) -> None:
        try:
            self._inbox.put(TransferDone(attempt_id, work(*args)))
        except Exception as error:  # noqa: BLE001 - the boundary of a thread; the loop records it
            self._inbox.put(TransferFailed(attempt_id, error))

    def _upload(self, panel: Version, name: str, marks: storage.Marks) -> Observation:
        try:
            content = showable_files.content(panel, marks)
            return PanelUploaded(self._client.upload_image(name, content, subfolder=FOLDER))
        except TROUBLE as error:
            return PanelNotUploaded(error)

    def _fetch(self, outputs: tuple[OutputFile, ...], to: storage.Target) -> Observation:
        """Fetch and stage all of them, or none."""
        images: list[Image] = []
        is_split = False
        try:
            # Nothing is fetched for a volume that is not there.
            storage.survey(to.folder, to.marks)
            for output in outputs:
                content, is_one_split = self._view(output)
                is_split = is_split or is_one_split
                checked = image_staging.check(content, is_render=True)
                images.append(image_staging.put(checked, to))
        except TROUBLE as error:
            for image in images:
                discard(image)
            return PicturesNotFetched(error)
        return PicturesFetched(tuple(images), is_split=is_split)

    def _view(self, output: OutputFile) -> tuple[bytes, bool]:
        """Fetch a file; one that is not there may be on the other of two servers."""
        most = settings.MADSEA_IMAGE_MAX_BYTES
        try:
            return self._client.view(output, max_bytes=most), False
        except FileMissing:
            seen = split_probes.ask_for_file(self._client, output, TIMES_ASKED)
            if not any(seen):
                raise
        for _ in range(TIMES_ASKED):
            self._client.drop_connection()
            with suppress(FileMissing):
                return self._client.view(output, max_bytes=most), split_probes.went_and_came_back(
                    seen
                )
        raise FileMissing(
            say("The server has the file {filename!r} at one time only.", filename=output.filename)
        )
