"""`python -m lab.clients`: generate clients of the schema, and run the contract by them.

The schema is that of a real web process, with a worker and a preview server. Python's client is
made by openapi-python-client and checked by mypy, TypeScript's by openapi-typescript and tsc. Both
then post, poll, upload, cancel, retry, pause and read. `--bin` names the environment that has the
generators; node and npm must be there for TypeScript.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

from lab.chaos import small_images
from lab.hostile.hostile_sites import ground

HERE = Path(__file__).resolve().parent
PYTHON, TYPESCRIPT = "python", "typescript"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the contract by each client; return the exit code."""
    parser = argparse.ArgumentParser("python -m lab.clients", description=__doc__)
    parser.add_argument("--bin", required=True, type=Path, help="where the generators are")
    parser.add_argument("languages", nargs="*", default=[PYTHON, TYPESCRIPT])
    given = parser.parse_args(argv)
    with ground(keep=False) as made:
        site = made.site(DEBUG="0")
        site.preview("--seconds-per-plan", "0.1")
        site.work()
        base = site.web()
        picture = made.folder / "mine.png"
        picture.write_bytes(small_images.png("#204060"))
        env = {"MADSEA": base, "TOKEN": made.token, "PICTURE": str(picture)}
        schema = made.folder / "schema.json"
        schema.write_bytes(_schema(base, made.token))
        for language in given.languages:
            by_python = language == PYTHON
            run = _by_python if by_python else _by_typescript
            run(made.folder / language, schema, env, given.bin.absolute())
            sys.stdout.write(f"{language}: generated, compiled, and the contract holds\n")
        site.close()
    return 0


def _schema(base: str, token: str) -> bytes:
    head = {"Authorization": f"Token {token}"}
    answer = requests.get(f"{base}/api/schema?format=json", headers=head, timeout=60)
    answer.raise_for_status()
    return answer.content


def _by_python(folder: Path, schema: Path, env: Mapping[str, str], programs: Path) -> None:
    folder.mkdir()
    shutil.copy(HERE / "contract.py", folder)
    made = folder / "madsea_client"
    generate = ["generate", "--path", str(schema), "--output-path", str(made), "--meta", "none"]
    _run([str(programs / "openapi-python-client"), *generate], folder, env)
    python = str(programs / "python")
    _run([python, "-m", "compileall", "-q", "madsea_client"], folder, env)
    _run([python, "-m", "mypy", "contract.py"], folder, env)
    _run([python, "contract.py"], folder, env)


def _by_typescript(folder: Path, schema: Path, env: Mapping[str, str], _programs: Path) -> None:
    shutil.copytree(HERE / "typescript", folder, ignore=shutil.ignore_patterns("node_modules"))
    _run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], folder, env)
    _run(["npx", "openapi-typescript", str(schema), "-o", "schema.d.ts"], folder, env)
    _run(["npx", "tsc"], folder, env)
    _run(["node", "contract.js"], folder, env)


def _run(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True
    )
    if done.returncode:
        sys.stdout.write(done.stdout + done.stderr)
        sys.exit(f"{command[0]} has failed")


if __name__ == "__main__":
    sys.exit(main())
