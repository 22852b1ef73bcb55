"""Published versions as clients read them, with an address for each file."""

from typing import Any, NotRequired, TypedDict

from django.db.models import QuerySet

from generation import signed_urls
from generation.errors import NotFound
from generation.models import Version
from generation.models.version import UNKNOWN_SERVED
from generation.selectors import findings
from generation.selectors.prepared_queries import PreparedTuples
from wording import say

_FIELDS = (
    "pk",
    "plan__sequence__code",
    "plan__code",
    "task",
    "number",
    "path",
    "width_px",
    "height_px",
    "n_bytes",
    "sha256",
    "served_sha256",
    "image",
    "run__variation",
    "batch__variations",
    "review_state",
)


class Result(TypedDict):
    """One published file; `path` is relative to the projects root, `width` and `height` in px.

    `sha256` is that of the file on disk, `served_sha256` that of what `url` gives: None where it is
    not known yet, or the file is no image. `image` is which of its prompt's pictures it is, from 1;
    `review_state` is None for panels, on which nobody decides; `variation` is there in
    batches of several variations.
    """

    sequence_id: str
    plan: str
    task: str
    version: int
    image: int
    filename: str
    path: str
    url: str
    thumbnail_url: str
    width: int
    height: int
    bytes: int
    sha256: str
    served_sha256: str | None
    review_state: str | None
    variation: NotRequired[int]


def of_batch(batch_id: int) -> QuerySet[Version]:
    """Return what a batch has published, in the order of its plans, then of their versions."""
    return Version.objects.published().filter(batch_id=batch_id).order_by("run__position", "number")


def version(version_id: int) -> Version:
    """Return a published version.

    Raises:
        NotFound: there is none of this id.
    """
    row = versions().filter(pk=version_id).first()
    if row is None:
        raise NotFound(
            say("There is no file {version_id}.", version_id=version_id), code="unknown_version"
        )
    return row


def versions() -> QuerySet[Version]:
    """Return all published versions, the newest first."""
    related = Version.objects.published().select_related(
        "plan__sequence__episode__project", "run", "created_by", *findings.RELATED
    )
    return related.beside_panels().order_by("-pk")


def newer_panel(version: Version | None) -> int | None:
    """Return the number of a newer panel than a version (of `beside_panels`) was made from."""
    made_from: int | None = getattr(version, "made_from_panel", None)
    newest: int | None = getattr(version, "newest_panel", None)
    return newest if made_from and newest and newest > made_from else None


def after(batch_id: int, revision: int, origin: str = "") -> list[Result]:
    """Return what a batch has published after a revision, as clients read it, in one query.

    `origin` (scheme and host) makes their addresses absolute.
    """
    return [_row(values, origin) for values in _AFTER.rows(batch_id, revision)]


def one(version: Version, origin: str = "") -> Result:
    """Return one published version as clients read it."""
    return _row(Version.objects.published().values_list(*_FIELDS).get(pk=version.pk), origin)


_AFTER = PreparedTuples(
    lambda batch_id, revision: (
        of_batch(batch_id).filter(revision__gt=revision).values_list(*_FIELDS)
    )
)


def _row(values: tuple[Any, ...], origin: str) -> Result:
    pk, sequence_id, plan, task, number, path, width_px, height_px, n_bytes, *more = values
    sha256, served_sha256, image, variation, variations, review_state = more
    filename = path.rpartition("/")[2]
    result: Result = {
        "sequence_id": sequence_id,
        "plan": plan,
        "task": task,
        "version": number,
        "image": image,
        "filename": filename,
        "path": path,
        "url": origin + signed_urls.signed_url(pk, filename),
        "thumbnail_url": origin + signed_urls.thumbnail_url(pk, filename),
        "width": width_px,
        "height": height_px,
        "bytes": n_bytes,
        "sha256": sha256,
        "served_sha256": served_sha256 if served_sha256 not in UNKNOWN_SERVED else None,
        "review_state": review_state or None,
    }
    if variations and variations > 1:
        result["variation"] = variation
    return result
