"""What is served of versions of which that is not known: found on disk, or of an older Madsea."""

import logging

from generation import showable_files, storage
from generation.errors import Busy
from generation.models import Version
from generation.models.version import NOT_SHOWABLE

logger = logging.getLogger(__name__)

#: So many at once: a tick has more to do.
MOST = 5


def fill() -> int:
    """Find out what is served of some versions and how large they are; return of how many.

    What cannot be read now is tried again the next time.
    """
    unknown = Version.objects.published().filter(served_sha256="")
    settled = 0
    # Whichever: what cannot be read must not keep the others from their turn.
    for version in unknown.order_by("?")[:MOST]:
        try:
            settled += _settle(version)
        except (storage.StorageError, Busy):
            continue  # The audit names what is gone; the rest comes with another tick.
    return settled


def _settle(version: Version) -> int:
    """Write down what is served of a version; whoever reads it meanwhile makes the same."""
    fields: dict[str, object] = {"served_sha256": NOT_SHOWABLE}
    try:
        examined = showable_files.examine_master(version, showable_files.master(version))
    except showable_files.NotShowable as error:
        logger.warning("%s", error)
    else:
        fields = {"width_px": examined.decoded.width_px, "height_px": examined.decoded.height_px}
        fields["pixels_sha256"] = examined.decoded.pixels_sha256
        fields["served_sha256"] = _kept(version, examined.served)
    return Version.objects.filter(pk=version.pk).update(**fields)


def _kept(version: Version, clean: bytes | None) -> str:
    if clean is None:
        return version.sha256
    showable_files.keep(version.sha256, clean)
    return showable_files.hash_of(clean)
