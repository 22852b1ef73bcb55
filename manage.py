#!/usr/bin/env python
"""Madsea's command line: every `manage.py` command starts here."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "madsea.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
