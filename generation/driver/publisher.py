"""What a server has rendered is fetched, its numbers are reserved, and it is published."""

import logging
from contextlib import suppress

from generation.driver import effects as do
from generation.driver import observations as seen
from generation.driver.flights import Flight
from generation.driver.observations import Observation
from generation.driver.transfers import Transfers
from generation.errors import Conflict, Fenced
from generation.models import Version
from generation.services import publication, render_times, transitions, version_numbers, volumes
from generation.services.server_leases import Lease
from generation.storage import StagedFileGone, StorageError, Target
from wording import words_of

logger = logging.getLogger(__name__)


class Publisher:
    """Brings home what one server has rendered."""

    def __init__(self, lease: Lease, transfers: Transfers) -> None:
        self._lease = lease
        self._transfers = transfers

    def fetch(self, flight: Flight, effect: do.Fetch) -> Observation | None:
        """Have a thread fetch the pictures of a prompt, if the volume is there that they go to."""
        folder = self._folder(flight)
        try:
            target = Target(folder, volumes.expected_marks())
        except StorageError as error:
            volumes.note(error, folder)
            return seen.NoVolume(error)
        self._transfers.fetch(flight.attempt.pk, effect.files, target)
        return None

    @staticmethod
    def _folder(flight: Flight) -> str:
        if not flight.folder:
            flight.folder = version_numbers.folder_of(
                flight.attempt.run.plan_id, publication.CONCEPT
            )
        return flight.folder

    def settled(self, flight: Flight, observed: seen.PicturesNotFetched) -> seen.PicturesNotFetched:
        """See to our own disk, if that is what kept pictures from being staged."""
        problem = observed.problem
        if not isinstance(problem, StorageError) or problem.is_permanent:
            return observed
        is_settled = volumes.adopt_or_note(problem, self._folder(flight))
        return seen.PicturesNotFetched(problem, is_settled=is_settled)

    def end_storage_trouble(self, flight: Flight, _: do.EndStorageTrouble) -> None:
        """Take note that the disk takes pictures again."""
        volumes.end_trouble(self._folder(flight))

    @staticmethod
    def discard(_: Flight | None, effect: do.Discard) -> None:
        """Remove staged pictures that are nobody's."""
        for image in effect.images:
            publication.discard(image)

    def reserve(self, flight: Flight, effect: do.Reserve) -> Observation:
        """Take the numbers of an attempt's pictures: its point of no return.

        Raises:
            Fenced: the attempt is no longer ours.
        """
        try:
            reserved = publication.reserve_render(
                flight.attempt, self._lease.token, effect.images, render_s=effect.render_s
            )
        except publication.CancelledMeanwhile:
            return seen.CancelCameFirst()
        except Conflict as error:
            return seen.NumbersExhausted(words_of(error))
        return seen.NumbersReserved(tuple(reserved))

    def publish(self, flight: Flight, effect: do.Publish) -> None:
        """Publish what is reserved, and remember how long it took."""
        self._finish(effect.versions[0])
        workflow = flight.attempt.run.workflow
        if workflow is not None and effect.render_s:
            render_times.learn(workflow, effect.render_s)

    def _finish(self, version: Version) -> None:
        """Publish an attempt's pictures; what cannot be written now, the tick publishes later."""
        try:
            publication.finish(version)
        except StagedFileGone as error:
            logger.warning("%s was given back: %s", version, error)
        except StorageError as error:
            logger.warning("%s is not published: %s", version, error)
            if version.attempt is not None and not error.is_permanent:
                version.attempt.lease_token = self._lease.token
                # Its cancel may have ended it.
                with suppress(Fenced):
                    transitions.note_once(version.attempt, "disk_full", detail=words_of(error))
