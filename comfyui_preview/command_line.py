"""The options of a preview server on a command line."""

import argparse
from pathlib import Path
from typing import get_args

from comfyui_preview.options import Generation, Options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a preview server as command line arguments."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8188, help="0 takes a free one")
    parser.add_argument("--home", type=Path, required=True, help="folder for files and journal")
    parser.add_argument("--journal", type=Path, help="default: journal.jsonl in the home")
    parser.add_argument("--seconds-per-plan", type=float, help="default: as fast as it can")
    parser.add_argument("--comfyui-version", default="", help="default: its generation's")
    parser.add_argument("--generation", choices=get_args(Generation), default="targeted")
    parser.add_argument("--pre-encoded", action="store_true", help="small ready-made images")
    parser.add_argument("--previews", action="store_true", help="send images between steps")
    parser.add_argument("--faults", action="store_true", help="open /_preview/faults")
    parser.add_argument("--allow-any-host", action="store_true", help="others may reach it")
    parser.add_argument("--ready-file", type=Path, help="gets the address once it listens")


def options_from(arguments: argparse.Namespace) -> Options:
    """The options that were given. Raises ValueError as Options does."""
    return Options(
        home=arguments.home,
        host=arguments.host,
        port=arguments.port,
        seconds_per_plan=arguments.seconds_per_plan,
        version=arguments.comfyui_version,
        generation=arguments.generation,
        pre_encoded=arguments.pre_encoded,
        faults=arguments.faults,
        previews=arguments.previews,
        allow_any_host=arguments.allow_any_host,
        journal=arguments.journal,
    )
