"""A plan that is retried with the corrected file is made with it, and its recipe says so."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from generation.models import Batch, Server
from generation.services import batches, recipe_lookup, recipe_reruns
from tests.driver import flying

pytestmark = pytest.mark.django_db

NAME = "Corrected.json"


@pytest.fixture
def retried(server: Server, tmp_path: Path, settings: Any) -> Batch:
    """A batch whose only plan was cancelled, and made with another workflow then."""
    corrected = copy.deepcopy(flying.SAMPLED)
    corrected["4"]["inputs"]["cfg"] = 3.0
    settings.MADSEA_WORKFLOWS = tmp_path
    (tmp_path / NAME).write_text(json.dumps(corrected))
    batch = flying.sampled(params={"steps": 2}, sources={"steps": "request"})
    batches.cancel(batch, actor=None)
    batches.retry(batch, actor=None, workflow_json=NAME)
    flying.finish(server, batch)
    return batch


def test_the_recipe_tells_the_workflow_that_made_the_picture(retried: Batch) -> None:
    recipe = recipe_lookup.read(retried.versions.get().pk)

    assert recipe["workflow"] is not None
    assert recipe["workflow"]["workflow_json"] == NAME
    assert recipe["parameters"]["cfg"] == {"value": 3.0, "source": "workflow"}
    assert recipe["parameters"]["steps"] == {"value": 2, "source": "request"}


def test_the_log_says_so(retried: Batch) -> None:
    assert {"retried_with", "own_workflow"} <= set(flying.events(retried.runs.get()))


def test_its_rerun_is_made_with_the_same(server: Server, retried: Batch) -> None:
    batch = batches.create(recipe_reruns.read(retried.versions.get().pk), requester=None)
    flying.finish(server, batch)

    assert batch.workflow is not None
    assert batch.workflow.name == NAME
    assert batch.versions.get().pixels_sha256 == retried.versions.get().pixels_sha256
