"""Several preview servers in one process, as two cores have better to do than to hold eight.

`python -m lab.benchmarks.preview_servers HOME --servers 8 --seconds-per-plan 0.2`: each keeps its
files and its journal in `HOME/<n>`; their addresses are in `HOME/ready` once all of them listen.
"""

import argparse
import signal
from contextlib import ExitStack
from pathlib import Path

from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--servers", type=int, required=True)
    parser.add_argument("--seconds-per-plan", type=float, required=True)
    given = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    with ExitStack() as stack:
        urls = [
            stack.enter_context(_server(given.home / str(n), given.seconds_per_plan)).url
            for n in range(given.servers)
        ]
        half = given.home / "ready-half"
        half.write_text("\n".join(urls))
        half.rename(given.home / "ready")
        signal.sigwait((signal.SIGTERM, signal.SIGINT))


def _server(home: Path, seconds_per_plan: float) -> PreviewServer:
    home.mkdir()
    options = Options(home=home, port=0, seconds_per_plan=seconds_per_plan, pre_encoded=True)
    return PreviewServer(options)


if __name__ == "__main__":
    main()
