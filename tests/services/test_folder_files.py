"""Pictures and embeddings that a workflow names, and that lie in the folders of a server or not."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from comfyui_preview.definitions import MODELS
from comfyui_preview.options import Options
from comfyui_preview.server import PreviewServer
from generation.errors import InvalidRequest
from generation.models import Server
from generation.services import capability, request_validation, requested_workflows, servers
from tests import factories
from tests.driver import flying

pytestmark = pytest.mark.django_db

REQUEST: dict[str, Any] = {
    "project_id": "madsea-2025-ep202",
    "episode": "E202",
    "season": "S02",
    "sequences": [{"sequence_id": "SQ0010", "plans": ["0010"]}],
    "style": "ombres_chinoises",
    "workflow_json": "Blended.json",
}
#: The panel, blended with a picture that is always the same.
BLENDED: dict[str, Any] = {
    "1": {
        "class_type": "LoadImage",
        "inputs": {"image": "panel.png"},
        "_meta": {"title": "@panel"},
    },
    "2": {"class_type": "LoadImage", "inputs": {"image": "paper.png"}},
    "3": {
        "class_type": "ImageBlend",
        "inputs": {
            "image1": ["1", 0],
            "image2": ["2", 0],
            "blend_factor": 0.5,
            "blend_mode": "normal",
        },
    },
    "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "x"}},
}


@pytest.fixture
def start(tmp_path: Path, settings: Any) -> Iterator[Callable[..., Server]]:
    """Starts a preview server with these pictures and embeddings; returns its row, looked at."""
    started: list[PreviewServer] = []
    settings.MADSEA_WORKFLOWS = tmp_path / "workflows"
    settings.MADSEA_WORKFLOWS.mkdir()

    def begin(name: str, *pictures: str, embeddings: tuple[str, ...] = ()) -> Server:
        models = MODELS | {"embeddings": list(embeddings)}
        options = Options(home=tmp_path / name, port=0, models=models)
        started.append(PreviewServer(options).__enter__())
        put(tmp_path / name, *pictures)
        return servers.read_now(factories.server(name, url=started[-1].url))

    yield begin
    for server in started:
        server.__exit__(None, None, None)


def put(home: Path, *pictures: str) -> None:
    """Put pictures into the input folder of a server."""
    for picture in pictures:
        (home / "input" / picture).write_bytes(factories.png())


def save(settings: Any, graph: dict[str, Any]) -> None:
    """Write the workflow that the request names."""
    (settings.MADSEA_WORKFLOWS / "Blended.json").write_text(json.dumps(graph))


def prompting(text: str) -> dict[str, Any]:
    graph = deepcopy(flying.SAMPLED)
    graph["2"]["inputs"]["text"] = text
    return graph


def refusal() -> tuple[str, str, str]:
    with pytest.raises(InvalidRequest) as caught:
        request_validation.read(REQUEST)
    [problem] = caught.value.problems
    return problem.attr, problem.code, problem.detail


def test_a_picture_that_no_server_has_is_refused_by_name_with_what_to_do(
    start: Callable[..., Server], settings: Any
) -> None:
    start("gpu-1", "papers.png")
    save(settings, BLENDED)

    assert refusal() == (
        "workflow_json",
        "no_capable_server",
        (
            "No server can run Blended.json. gpu-1 lacks the picture paper.png in its input folder"
            " (closest: papers.png). Put the picture into a server's input folder, or name one that"
            " lies there."
        ),
    )


def test_a_picture_that_one_server_has_makes_that_one_capable(
    start: Callable[..., Server], settings: Any
) -> None:
    poor, rich = start("poor"), start("rich", "paper.png")
    save(settings, BLENDED)

    needs = request_validation.read(REQUEST).needs

    assert needs is not None
    missing = capability.missing(needs, [poor.pk, rich.pk])
    assert [bool(missing[server.pk]) for server in (poor, rich)] == [True, False]


def test_a_picture_that_was_put_there_since_counts_once_the_server_is_read_anew(
    start: Callable[..., Server], settings: Any, tmp_path: Path
) -> None:
    server = start("gpu-1")
    save(settings, BLENDED)
    before = refusal()
    put(tmp_path / "gpu-1", "paper.png")

    servers.read_now(server)

    assert before[1] == "no_capable_server"
    assert request_validation.read(REQUEST).needs is not None


def test_the_pictures_of_a_server_are_no_part_of_what_is_installed(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    server = start("gpu-1")
    before = server.definitions.sha256
    put(tmp_path / "gpu-1", "paper.png")

    servers.read_now(server)

    server.definitions.refresh_from_db()
    assert server.definitions.sha256 == before
    assert server.definitions.folders["input"] == ["paper.png"]


def test_an_embedding_that_no_server_has_is_refused_by_name(
    start: Callable[..., Server], settings: Any
) -> None:
    start("gpu-1", embeddings=("bad-hands-5",))
    save(settings, prompting("a lamp, (embedding:bad-hands.pt:1.2)"))

    assert "gpu-1 lacks the embedding bad-hands (closest: bad-hands-5)." in refusal()[2]


def test_an_embedding_that_a_server_has_is_taken(
    start: Callable[..., Server], settings: Any
) -> None:
    start("gpu-1", embeddings=("bad-hands",))
    save(settings, prompting("a lamp, embedding:bad-hands:1.2"))

    assert request_validation.read(REQUEST).needs is not None


def test_an_embedding_is_no_model_that_is_loaded_for_long(settings: Any, tmp_path: Path) -> None:
    settings.MADSEA_WORKFLOWS = tmp_path
    save(settings, prompting("a lamp"))
    plain = capability.needs_of_workflow(requested_workflows.find("Blended.json"), {})
    save(settings, prompting("a lamp, embedding:bad-hands"))

    needs = capability.needs_of_workflow(requested_workflows.find("Blended.json"), {})

    assert needs.files != plain.files
    assert needs.model_key == plain.model_key
