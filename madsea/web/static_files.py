"""Static files by names that hold their content's hash, so that browsers may keep them for good."""

import filecmp
import logging
from functools import cached_property

from django.contrib.staticfiles import finders
from whitenoise.storage import CompressedManifestStaticFilesStorage

logger = logging.getLogger(__name__)


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed and compressed where `collectstatic` has collected what this Madsea has.

    Without it, or with the files of an older Madsea, they are served by their plain names, and
    browsers ask each time: a page without its style sheet would be worse.
    """

    manifest_strict = False

    @cached_property
    def is_current(self) -> bool:
        """Whether all that was collected is what the installed packages hold."""
        if not self.hashed_files:
            return False
        old = [name for name in self.hashed_files if not self._is_as_installed(name)]
        if old:
            logger.warning("static files are old (%s, ...): run collectstatic", old[0])
        return not old

    def _is_as_installed(self, name: str) -> bool:
        installed = finders.find(name)
        if installed is None or not self.exists(name):
            return False
        return filecmp.cmp(self.path(name), installed, shallow=False)

    def stored_name(self, name: str) -> str:
        """Return the hashed name of a file; its own where nothing current was collected."""
        stored: str = super().stored_name(name) if self.is_current else name
        return stored
