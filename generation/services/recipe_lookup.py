"""Recipes: what made a picture, by its version, by a hash, or by the file itself."""

import hashlib
import re

from generation.errors import NotFound
from generation.models import Version
from generation.selectors import recipes
from generation.selectors.recipes import FoundRecipe, Match, Recipe
from generation.services import image_staging, requested_workflows
from wording import say

_SHA256 = re.compile(r"[0-9a-f]{64}")


def read(version_id: int, *, origin: str = "") -> Recipe:
    """Return the recipe of a published version; `origin` (scheme and host) is put before addresses.

    Raises:
        NotFound: there is none of this id.
    """
    return recipe_of(recipes.version(version_id), origin=origin)


def recipe_of(version: Version, *, origin: str = "") -> Recipe:
    """Return the recipe of a version that `selectors.recipes` has read."""
    workflow = recipes.workflow_of(version)
    return recipes.recipe(
        version, requested_workflows.parameters(workflow) if workflow else {}, origin
    )


def find(sha256: str, *, origin: str = "") -> FoundRecipe:
    """Return the recipe of the version with this SHA-256: of its file, what is served, its pixels.

    Raises:
        NotFound: there is none.
    """
    wanted = sha256.lower()
    if not _SHA256.fullmatch(wanted):
        detail = say("{sha256!r:.80} is no SHA-256: that has 64 digits from 0 to f.", sha256=sha256)
        raise NotFound(detail, code="unknown_picture")
    return _found(recipes.find(dict.fromkeys(recipes.HASHES, wanted)), origin)


def look_up(content: bytes, *, origin: str = "") -> FoundRecipe:
    """Return the recipe of the picture that a file shows, whatever became of the file.

    It is known by its bytes, or by its pixels where it was written anew or lost its metadata.

    Raises:
        NotFound: no version shows this picture.
        BadImage: it is none that was published, and no image that can be decoded.
        Busy: too much is being decoded just now.
    """
    image_staging.check_size(len(content))
    of_file = hashlib.sha256(content).hexdigest()
    try:
        return _found(recipes.find({"sha256": of_file, "served_sha256": of_file}), origin)
    except NotFound:
        decoded = image_staging.check(content, is_render=True).examined.decoded
    return _found(recipes.find({"pixels_sha256": decoded.pixels_sha256}), origin)


def _found(match: Match, origin: str) -> FoundRecipe:
    return {
        **recipe_of(match.version, origin=origin),
        "matched_by": match.matched_by,
        "also": match.also,
    }
