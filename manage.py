#!/usr/bin/env python
"""Madsea's command line: every `manage.py` command starts here."""

import gc
import os
import sys

# Until the command is loaded (`madsea.terminal`), all that is made stays.
gc.disable()

from madsea import terminal  # noqa: E402


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
    sys.exit(terminal.run(sys.argv))


if __name__ == "__main__":
    main()
