"""The disk that the projects lie on: small enough to be filled, and filled on demand.

Where this process may mount, it is a tmpfs: a full one answers ENOSPC to writes, one without names
left answers it to links. Else the staging folder gives way to a file, and nothing can be staged.
"""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.processes import Site

SIZE_MIB = 48
N_NAMES = 4000


class Disk:
    """The projects root of a site, on a disk of its own if that can be had."""

    def __init__(self, site: Site) -> None:
        self._root = site.home / "disk"
        self._filler = self._root / "filler"
        self._staging = site.projects / ".staging"
        self._aside = site.home / "staging-aside"
        self._root.mkdir()
        self.is_mounted = _mount(self._root)
        if not self.is_mounted:
            sys.stderr.write("No tmpfs can be mounted: a full disk is played by a lost folder.\n")
        shutil.move(site.projects, self._root / "projects")
        site.projects.symlink_to(self._root / "projects")

    def fill(self) -> None:
        """Leave no byte for anybody."""
        if not self.is_mounted:
            self._take_staging_away()
            return
        self._filler.mkdir(exist_ok=True)
        with suppress(OSError), (self._filler / "bytes").open("ab", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)

    def use_up_names(self) -> None:
        """Leave no name for any new file or link."""
        if not self.is_mounted:
            self._take_staging_away()
            return
        self._filler.mkdir(exist_ok=True)
        with suppress(OSError):
            for number in range(N_NAMES + 1):
                (self._filler / f"{number}").touch()

    def free(self) -> None:
        """Give everything back."""
        shutil.rmtree(self._filler, ignore_errors=True)
        if self._staging.is_file():
            self._staging.unlink()
            self._aside.rename(self._staging)

    def close(self) -> None:
        """Let go of the disk."""
        self.free()
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self._root)], check=False)

    def _take_staging_away(self) -> None:
        if self._staging.is_file():
            return
        self._staging.mkdir(exist_ok=True)
        self._staging.rename(self._aside)
        self._staging.touch()


def _mount(folder: Path) -> bool:
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    options = f"size={SIZE_MIB}m,nr_inodes={N_NAMES}"
    command = ["mount", "-t", "tmpfs", "-o", options, "madsea-chaos", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
