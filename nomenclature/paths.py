"""Where files lie below the projects root: `<project>/<episode>/<sequence>/<task>/<name>`.

Paths are built from checked values only, and read back only if they are exactly so built.
"""

from pathlib import PurePosixPath

from nomenclature import rules
from nomenclature.errors import NomenclatureError
from nomenclature.name import FileName, PlanTask
from wording import say

_LAYOUT = "a relative path '<project>/<episode>/<sequence>/<task>/<name>'"
_DEPTH = 5


def folder(project_id: str, name: PlanTask) -> PurePosixPath:
    """Return the folder of a task of a plan, relative to the projects root.

    Raises: NomenclatureError on `project_id`.
    """
    project = rules.check_project_id(project_id)
    return PurePosixPath(project, name.episode, name.sequence_id, name.task)


def path(project_id: str, name: FileName) -> PurePosixPath:
    """Return the place of a file, relative to the projects root.

    Raises: NomenclatureError on `project_id`.
    """
    return folder(project_id, name) / str(name)


def parse_path(relative: str | PurePosixPath) -> tuple[str, FileName]:
    """Return the project and the name that `path` writes as exactly this path.

    Raises: NomenclatureError on `folder` if the file is not where its name belongs, else on
    the first field that is wrong.
    """
    pieces = _split(relative)
    project_id = rules.check_project_id(pieces[0])
    name = FileName.parse(pieces[-1])
    right = folder(project_id, name)
    if "/".join(pieces[:-1]) != str(right):
        raise NomenclatureError(
            "folder", str(relative), say("the folder '{right}'", right=right), "wrong_folder"
        )
    return project_id, name


def _split(relative: object) -> list[str]:
    if not isinstance(relative, str | PurePosixPath):
        raise NomenclatureError("folder", relative, f"a string: {_LAYOUT}", "not_a_string")
    pieces = str(relative).split("/")
    if len(pieces) != _DEPTH or not pieces[0]:
        raise NomenclatureError("folder", str(relative), _LAYOUT)
    return pieces
