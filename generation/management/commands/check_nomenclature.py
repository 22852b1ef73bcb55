"""Audit the files below the projects root and the database against each other."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from generation.management.command import MadseaCommand, bar, counted, printable
from generation.services import tree_audit
from wording import say


class Command(MadseaCommand):
    help = say(
        "Audit the nomenclature: illegal names, wrong folders, contents that do not fit their"
        " extension, gaps, files without rows, rows without files, changed files, unfinished"
        " reservations. Ends with 1 when something is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "root",
            nargs="?",
            type=Path,
            default=Path(settings.MADSEA_PROJECTS_ROOT),
            metavar="ROOT",
            help=say("the projects root (the default), a folder in it, or a copy of it"),
        )
        parser.add_argument(
            "--csv", type=Path, metavar="FILE", help=say("write the log of all files as CSV")
        )

    def handle(self, *args: Any, root: Path, csv: Path | None, **options: Any) -> None:
        report = tree_audit.audit_tree(root, watch=_watched)
        if csv is not None:
            _write(csv, tree_audit.as_csv(report.files))
        for finding in report.findings:
            self.stdout.write(printable(f"{finding.kind}: {finding.path}: {finding.detail}"))
        files = counted(len(report.files), "legal file")
        if report.findings:
            kinds = Counter(finding.kind for finding in report.findings)
            listed = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
            raise CommandError(say("{files}; wrong: {kinds}.", files=files, kinds=listed))
        self.stdout.write(self.style.SUCCESS(str(say("{files}; nothing is wrong.", files=files))))


def _watched(paths: Sequence[str]) -> Iterable[str]:
    return bar(paths, say("Reading files"))


def _write(target: Path, text: str) -> None:
    # Whole or not at all: somebody may be delivering the last one.
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise CommandError(f"{target}: {error.strerror or error}") from error
