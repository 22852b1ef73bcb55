"""`python -m comfyui_preview`: a preview server in a terminal, without Django."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from comfyui_preview.command_line import add_arguments, options_from
from comfyui_preview.server import serve


def announce(url: str, ready_file: Path | None = None) -> None:
    """Say on one line where the server listens."""
    sys.stdout.write(f"listening on {url}\n")
    sys.stdout.flush()
    if ready_file is not None:
        ready_file.write_text(url, encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> None:
    """Run a preview server until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m comfyui_preview", description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    try:
        options = options_from(arguments)
    except ValueError as refused:
        parser.error(str(refused))
    try:
        serve(options, lambda url: announce(url, arguments.ready_file))
    except OSError as refused:
        parser.exit(1, f"{refused}\n")


if __name__ == "__main__":
    main()
