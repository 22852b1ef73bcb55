"""Where the hostile play: sites with real processes, each with a home and a database of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from lab.chaos import small_images
from tests.processes import Site, Sites

PANEL = "E202_SQ0010-0010_extracted-raw.png"


class Ground:
    """Makes sites as they are asked for; none is made for a module that needs none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def sites(self) -> Sites:
        """What makes sites; they have one panel and a demo user."""
        return Sites(self.folder, {PANEL: small_images.png("#204060")})

    @property
    def token(self) -> str:
        """The demo user's token, the same on every site."""
        return self.sites.access["token"]

    def site(self, **settings: str) -> Site:
        """Return a new site; `settings` are environment of its processes."""
        return self.sites.new(**settings)

    def close(self) -> None:
        """End every process."""
        if "sites" in vars(self):
            self.sites.close()


@contextmanager
def ground(*, keep: bool) -> Iterator[Ground]:
    """Give a ground in a folder of its own, which is removed unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="madsea-hostile-"))
    made = Ground(folder)
    try:
        yield made
    finally:
        made.close()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
