"""Calls of the API that several tests make."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from generation.models import Batch
from generation.selectors import expected_ends
from generation.selectors.expected_ends import ForecastCache
from tests import factories

URL = "/api/generate_ai_concept"
EXAMPLE: dict[str, Any] = {
    "project_id": "madsea-2025-ep202",
    "episode": "E202",
    "season": "S02",
    "sequences": [{"sequence_id": "SQ0010", "plans": ["0010", "0020", "0030"]}],
    "style": "ombres_chinoises",
    "workflow_json": "OmbresChinoises.json",
    "params": {"steps": 30, "cfg": 7.5, "lora_strength": 0.9},
    "mode": "auto",
}


def one_plan(batch: Batch, plan: str = "0010") -> dict[str, Any]:
    return {"batch_id": batch.public_id, "sequence_id": "SQ0010", "plan": plan}


def upload(api: APIClient, batch: Batch, content: bytes, filename: str = "mine.png") -> Any:
    body = one_plan(batch) | {"file": factories.sent(content, filename)}
    return api.post(f"{URL}/upload", body, format="multipart")


def panel(api: APIClient, content: bytes, **change: str) -> Any:
    body = {
        "project_id": "madsea-2025-ep202",
        "season": "S02",
        "episode": "E202",
        "sequence_id": "SQ0010",
        "plan": "0010",
        "file": factories.sent(content, "panel.png"),
    }
    return api.post("/api/panels", body | change, format="multipart")


def status(api: APIClient, batch: Batch, query: str = "", **headers: str) -> Any:
    address = f"/api/generate_ai_concept/status?batch_id={batch.public_id}{query}"
    return api.get(address, headers=headers)


def keep_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all documents tell of one forecast: it is made anew once some moments have passed."""
    monkeypatch.setattr(expected_ends, "POLLED", ForecastCache(dear_s=0, share=1e-9))
    expected_ends.POLLED.recent()


def queries_of(api: APIClient, batch: Batch, query: str = "", **headers: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        status(api, batch, query, **headers)
    return len(captured)
