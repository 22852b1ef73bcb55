"""Landing: a flight's image is fetched, looked at, reserved and published."""

import logging
from contextlib import suppress
from time import monotonic

from generation.comfyui.errors import ANSWERED, ComfyError, FileMissing, TooLarge
from generation.comfyui.protocol import History, OutputFile
from generation.driver.failed_attempts import Outcomes
from generation.driver.flight import Flight, Stage
from generation.driver.reachability import Contact
from generation.driver.transfers import Courier, Fetched
from generation.errors import BadImage, Conflict, Fenced, PlanFailure
from generation.failures import failure
from generation.models import Version
from generation.services import publication, render_times, transitions, volumes
from generation.services.leases import Lease
from generation.services.publication import Image
from generation.storage import StagedFileGone, StorageError, Target
from generation.workflows import substitution as params

logger = logging.getLogger(__name__)

FETCH_AGAIN_S = 2.0
#: So often that time is doubled while our own disk takes nothing.
DOUBLED_MOST = 3
#: What is wrong with an image that is whole: every server would render it so.
_OF_THE_WORKFLOW = {
    "too_large": "output_too_large",
    "too_many_pixels": "output_too_large",
    "too_many_parts": "output_too_large",
    "too_costly": "output_too_large",
    "unsupported_format": "output_unusable",
}
#: So often a server may answer a request of a plan's with an error, while it answers others.
ERRORS_MOST = 3


class Landing:
    """Brings home what a server has rendered."""

    def __init__(
        self,
        lease: Lease,
        courier: Courier,
        contact: Contact,
        outcomes: Outcomes,
        flights: dict[int, Flight],
    ) -> None:
        self._lease = lease
        self._courier = courier
        self._contact = contact
        self._outcomes = outcomes
        self._flights = flights

    def succeeded(self, flight: Flight, history: History) -> None:
        """Fetch what a prompt has left, or fail for want of it."""
        if history.started_at_ms and history.finished_at_ms:
            said_s = (history.finished_at_ms - history.started_at_ms) / 1000
            # The server's clock may have been set meanwhile.
            flight.render_s = min(max(0.0, said_s), monotonic() - flight.begun_at)
        wanted = params.wanted_outputs(flight.attempt.graph)
        found = _image_of(history, wanted[0]) if wanted else None
        if found is None:
            words = "The prompt succeeded, but its SaveImage node left no file."
            self._outcomes.fail(flight, failure("no_output", words))
            return
        self._fetch(flight, found)

    def found(self, flight: Flight, left: OutputFile) -> None:
        """Fetch what a prompt has left that its server knows no more."""
        flight.is_left = True
        self._fetch(flight, left)

    def _fetch(self, flight: Flight, output: OutputFile) -> None:
        flight.stage, flight.output = Stage.FETCHING, output
        folder = self._folder(flight)
        try:
            target = Target(folder, volumes.expected())
        except StorageError as error:
            volumes.note(error, folder)
            self._short(flight, error)
            return
        self._courier.fetch(flight.attempt.pk, output, target)

    @staticmethod
    def _folder(flight: Flight) -> str:
        if not flight.folder:
            flight.folder = publication.folder_of(flight.attempt.run.plan_id, publication.CONCEPT)
        return flight.folder

    def fetched(self, message: Fetched) -> None:
        """Take what came of it: an image, or a problem."""
        flight = self._flights[message.attempt_id]
        image = message.image
        if image is None:
            self._not_fetched(flight, message.problem)
        elif why := _misfit(flight, image):
            publication.discard(image)
            self._outcomes.fail(flight, why)
        else:
            if flight.n_short:
                flight.n_short = 0
                volumes.over(flight.folder)
            self._reserve(flight, image)

    @staticmethod
    def discard(message: object) -> None:
        """Remove what was staged for a flight that is gone."""
        if isinstance(message, Fetched) and message.image is not None:
            publication.discard(message.image)

    def _reserve(self, flight: Flight, image: Image) -> None:
        try:
            reserved = publication.reserve_render(
                flight.attempt, self._lease.token, image, render_s=flight.render_s
            )
        except publication.CancelledMeanwhile:
            publication.discard(image)
            self._outcomes.stopped(flight)
        except Conflict as error:
            publication.discard(image)
            self._outcomes.fail(flight, failure("versions_exhausted", str(error)))
        else:
            self.publish(reserved)
            self._outcomes.drop(flight)
            self._learn(flight)

    @staticmethod
    def _learn(flight: Flight) -> None:
        workflow = flight.attempt.run.batch.workflow
        if workflow is not None and flight.render_s:
            render_times.learn(workflow, flight.render_s)

    def publish(self, reserved: Version) -> None:
        """Publish what is reserved; what cannot be written now, the tick publishes later."""
        try:
            publication.finish(reserved)
        except StagedFileGone as error:
            logger.warning("%s was given back: %s", reserved, error)
        except StorageError as error:
            logger.warning("%s is not published: %s", reserved, error)
            if reserved.attempt is not None and not error.is_permanent:
                reserved.attempt.lease_token = self._lease.token
                # Its cancel may have ended it.
                with suppress(Fenced):
                    transitions.note_once(reserved.attempt, "disk_full", detail=str(error))

    def _not_fetched(self, flight: Flight, problem: Exception | None) -> None:
        if flight.is_left and isinstance(problem, FileMissing):
            self._outcomes.lost(flight, "it knows it no more, and the file it left is gone")
        elif isinstance(problem, FileMissing):
            self._outcomes.fail(flight, failure("output_missing", str(problem)))
        elif isinstance(problem, TooLarge):
            self._outcomes.fail(flight, failure("output_too_large", str(problem)))
        elif isinstance(problem, BadImage) and problem.code in _OF_THE_WORKFLOW:
            code = _OF_THE_WORKFLOW[problem.code]
            self._outcomes.fail(flight, failure(code, str(problem)))
        elif isinstance(problem, BadImage):
            self._unreadable(flight, problem)
        elif isinstance(problem, StorageError):
            self._not_stored(flight, problem)
        elif isinstance(problem, ANSWERED) and self.is_never_given(flight):
            self._outcomes.fail(flight, failure("output_not_given", str(problem)))
        else:
            # The server is in trouble: the history will still be there.
            flight.stage = Stage.POSTED
            flight.look_soon(FETCH_AGAIN_S)
            if isinstance(problem, ComfyError):
                self._contact.failed(problem)

    @staticmethod
    def is_never_given(flight: Flight) -> bool:
        """Count an error in the place of a flight's file; tell whether it is one too many.

        It is asked for again only after the server's queue and history have answered.
        """
        flight.n_ungiven += 1
        return flight.n_ungiven >= ERRORS_MOST

    def _unreadable(self, flight: Flight, problem: BadImage) -> None:
        """Fetch a broken image once more: it may have been cut short on the way."""
        flight.n_unreadable += 1
        if flight.n_unreadable > 1 and flight.is_left:
            # Its server was ended while it wrote.
            self._outcomes.lost(flight, "it knows it no more, and left half a file")
            return
        if flight.n_unreadable > 1 or flight.output is None:
            self._outcomes.fail(flight, failure("unreadable_output", str(problem)))
            return
        transitions.note(flight.attempt, "refetched")
        self._fetch(flight, flight.output)

    def _not_stored(self, flight: Flight, problem: StorageError) -> None:
        if problem.is_permanent:
            self._outcomes.fail(flight, failure("not_storable", problem.detail))
        elif volumes.settle(problem, flight.folder):
            self._fetch_again(flight)
        else:
            self._short(flight, problem)

    def _fetch_again(self, flight: Flight) -> None:
        if flight.output is not None:
            self._fetch(flight, flight.output)

    def _short(self, flight: Flight, problem: StorageError) -> None:
        """Keep what is rendered on its server until our own disk takes it."""
        flight.stage = Stage.POSTED
        flight.look_soon(FETCH_AGAIN_S * 2 ** min(flight.n_short, DOUBLED_MOST))
        flight.n_short += 1
        if not flight.is_short_told:
            flight.is_short_told = True
            transitions.note_once(flight.attempt, "disk_full", detail=str(problem))


def _image_of(history: History, node_id: str) -> OutputFile | None:
    """Return the file that a node has saved: an image, if it names one among others."""
    files = [each for each in history.outputs if each.node_id == node_id and each.type == "output"]
    images = [each for each in files if each.key == "images" and _has_image_name(each)]
    return next(iter(images + files), None)


def _has_image_name(file: OutputFile) -> bool:
    return file.filename.lower().endswith((".png", ".jpg", ".jpeg", ".webp"))


def _misfit(flight: Flight, image: Image) -> PlanFailure | None:
    """Return what is wrong with an image: another prompt's, or of another size than its graph's."""
    # The graph names our output prefix, and that the prompt; a server may write neither.
    if image.decoded.marks and flight.prefix not in image.decoded.marks:
        return failure("wrong_image", "The file holds the image of another prompt.")
    graph = flight.attempt.graph
    wanted = params.wanted_outputs(graph)
    expected = params.output_size(graph, wanted[0]) if wanted else None
    found = (image.decoded.width_px, image.decoded.height_px)
    if expected is None or found == expected:
        return None
    words = "The image has {} × {} pixels, the workflow gives it {} × {}."
    return failure("wrong_size", words.format(*found, *expected))
