"""`python -m lab.faults`: play the whole matrix and write docs/faults.md from what happened."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import django

COMMAND = ("-m", "pytest", "-q", "-n", "4", "tests/lab/test_faults.py", "-k", "ends_as_it_must")


def main(arguments: Sequence[str]) -> int:
    """Return 0 when every case ended as it must, and the page is written."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
    django.setup()
    matrix, table = import_module("lab.faults.all_cases"), import_module("lab.faults.table")
    with TemporaryDirectory() as folder:
        env = {**os.environ, "FAULTS_ROWS": folder}
        played = subprocess.run([sys.executable, *COMMAND, *arguments], env=env, check=False)
        if played.returncode:
            sys.stderr.write("docs/faults.md is as it was: not every case ended as it must.\n")
            return played.returncode
        rows = [(Path(folder) / case.slug).read_text(encoding="utf-8") for case in matrix.PLAYED]
    table.PAGE.write_text(table.page(rows, matrix.UNMET), encoding="utf-8")
    sys.stdout.write(f"docs/faults.md: {len(rows)} cases.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
