"""The courier: threads that move files, so that submitting never waits for a download.

They upload panels, and fetch, decode, hash and stage images. They never touch the database: what
came of it goes into the driver's inbox.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue

from django.conf import settings

from generation import image_decoding, served_files, storage
from generation.comfyui import probes
from generation.comfyui.client import Client
from generation.comfyui.errors import ComfyError, FileMissing
from generation.comfyui.protocol import Event, OutputFile
from generation.errors import BadImage, Busy
from generation.models import Version
from generation.services import incoming_images
from generation.services.publication import Image

FOLDER = "madsea"
#: How often a file that is named and not there is asked for.
TIMES_ASKED = 6


@dataclass(frozen=True)
class Uploaded:
    """A panel is on the server under `name`; or it is not, and `problem` says why."""

    attempt_id: int
    name: str = ""
    problem: Exception | None = None


@dataclass(frozen=True)
class Fetched:
    """An image lies in staging; or it does not, and `problem` says why."""

    attempt_id: int
    image: Image | None = None
    problem: Exception | None = None
    is_split: bool = False  #: the file was there, gone, and there again


@dataclass(frozen=True)
class Stumbled:
    """A thread failed as nobody foresaw."""

    attempt_id: int
    problem: Exception


@dataclass(frozen=True)
class SocketLost:
    """The socket is gone, or could not be opened: until it is back, polling is all there is."""

    was_open: bool = True


Message = Event | Uploaded | Fetched | Stumbled | SocketLost
Inbox = SimpleQueue[Message]

TROUBLE = (ComfyError, storage.StorageError, BadImage, Busy)


class Courier:
    """Two threads of one driver; `inbox` receives what they did."""

    def __init__(self, client: Client, inbox: Inbox) -> None:
        self._client = client
        self._inbox = inbox
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="courier")
        self._pool.submit(image_decoding.warm_up)

    def upload(self, attempt_id: int, panel: Version, name: str, marks: storage.Marks) -> None:
        """Upload what is shown of a panel under a name that stands for it."""
        self._submit(self._upload, attempt_id, panel, name, marks)

    def fetch(self, attempt_id: int, output: OutputFile, to: storage.Target) -> None:
        """Fetch a server's file, decode and stage it where it is to be published."""
        self._submit(self._fetch, attempt_id, output, to)

    def close(self) -> None:
        """Take nothing more on; what is under way ends by its time limits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, work: Callable[..., Message], attempt_id: int, *args: object) -> None:
        self._pool.submit(self._run, work, attempt_id, *args)

    def _run(self, work: Callable[..., Message], attempt_id: int, *args: object) -> None:
        try:
            self._inbox.put(work(attempt_id, *args))
        except Exception as error:  # noqa: BLE001 - the boundary of a thread; the pilot records it
            self._inbox.put(Stumbled(attempt_id, error))

    def _upload(self, attempt_id: int, panel: Version, name: str, marks: storage.Marks) -> Message:
        try:
            content = served_files.content(panel, marks)
            given = self._client.upload_image(name, content, subfolder=FOLDER)
        except TROUBLE as error:
            return Uploaded(attempt_id, problem=error)
        return Uploaded(attempt_id, name=given)

    def _fetch(self, attempt_id: int, output: OutputFile, to: storage.Target) -> Message:
        try:
            # Nothing is fetched for a volume that is not there.
            storage.survey(to.folder, to.marks)
            content, is_split = self._view(output)
            image = incoming_images.put(incoming_images.check(content, is_render=True), to)
            return Fetched(attempt_id, image=image, is_split=is_split)
        except TROUBLE as error:
            return Fetched(attempt_id, problem=error)

    def _view(self, output: OutputFile) -> tuple[bytes, bool]:
        """Fetch a file; one that is not there may be on the other of two servers."""
        most = settings.MADSEA_IMAGE_MAX_BYTES
        try:
            return self._client.view(output, max_bytes=most), False
        except FileMissing:
            seen = probes.of_file(self._client, output, TIMES_ASKED)
            if not any(seen):
                raise
        for _ in range(TIMES_ASKED):
            self._client.reconnect()
            with suppress(FileMissing):
                return self._client.view(output, max_bytes=most), probes.comes_back(seen)
        raise FileMissing(f"The server has the file {output.filename!r} at one time only.")
