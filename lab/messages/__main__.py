"""`python -m lab.messages`: gather, write, compile; tell what has no French, and end with 1."""

import os
import sys

import django

from lab.messages import catalogues


def main() -> int:
    """Bring every catalogue up to date; return how the process ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
    django.setup()
    n_lacking = 0
    for part in catalogues.PARTS:
        catalogue = catalogues.updated(part)
        catalogues.save(part, catalogue)
        missing = catalogues.lacking(catalogue)
        n_lacking += len(missing)
        _say(f"{part.home}: {len(catalogue)} texts, {len(missing)} without French")
        for each in missing:
            _say(f"  {each}")
    return 1 if n_lacking else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
