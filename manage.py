#!/usr/bin/env python
"""Madsea's command line: every `manage.py` command starts here."""

import os
import sys

from madsea import terminal


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
    sys.exit(terminal.run(sys.argv))


if __name__ == "__main__":
    main()
