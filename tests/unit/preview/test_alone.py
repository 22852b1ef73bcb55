"""The preview server runs alone: without Django, with its own requirements and no others."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
#: Imports every module of the preview server where nothing else can be imported than the standard
#: library and the packages that it is told of.
IMPORT_ALL = """
import importlib, pkgutil, sys
from importlib.machinery import PathFinder

allowed = set(sys.argv[1:]) | {"comfyui_preview"} | sys.stdlib_module_names

class Own(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        known = name.partition(".")[0] in allowed
        return super().find_spec(name, path, target) if known else None

sys.meta_path = [finder for finder in sys.meta_path if finder is not PathFinder] + [Own]
import comfyui_preview
for module in pkgutil.walk_packages(comfyui_preview.__path__, "comfyui_preview."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("django" in sys.modules)
"""


def pinned(name: str) -> dict[str, str]:
    """Return each package of a requirements file with its version and hashes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    parts = re.split(r"^(?=[A-Za-z])", text, flags=re.MULTILINE)
    return {re.split(r"[=\[ ;]", part)[0].lower(): part.strip() for part in parts if part.strip()}


def test_it_imports_nothing_but_its_own_requirements() -> None:
    own = {name.replace("-", "_") for name in pinned("requirements-preview.txt")}
    modules = [
        module
        for module, distributions in packages_distributions().items()
        if {name.lower().replace("-", "_") for name in distributions} & own
    ]

    ended = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *modules],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.stderr, ended.stdout.strip()) == ("", "False")


def test_its_requirements_are_pinned_as_those_of_the_whole() -> None:
    own, whole = pinned("requirements-preview.txt"), pinned("requirements.txt")

    assert {"aiohttp", "numpy", "pillow"} <= set(own)
    assert {name: whole.get(name) for name in own} == own
    assert all("--hash=sha256:" in lines for lines in own.values())
