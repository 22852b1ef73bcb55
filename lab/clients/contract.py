"""The whole contract, by the client that openapi-python-client has made of the schema.

Runs in an environment of its own, where `madsea_client` is what was generated.
"""

import os
import time
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

from madsea_client import AuthenticatedClient, models, types
from madsea_client.api.batches import logs, steer
from madsea_client.api.generate_ai_concept import cancel, generate, retry, status, upload
from madsea_client.api.panels import send_panel
from madsea_client.api.queue import queue

CLIENT = AuthenticatedClient(os.environ["MADSEA"], os.environ["TOKEN"], prefix="Token")
PICTURE = Path(os.environ["PICTURE"])


def asked(mode: models.GenerateRequestMode) -> models.CreatedDocument:
    sequence = models.GenerateRequestSequencesItem("SQ0010", ["0010", "0020"])
    body = models.GenerateRequest(
        project_id="madsea-2025-ep202",
        episode="E202",
        season="S02",
        sequences=[sequence],
        style="ombres_chinoises",
        workflow_json="Silhouette.json",
        mode=mode,
    )
    answer = generate.sync_detailed(client=CLIENT, body=body)
    assert answer.status_code is HTTPStatus.CREATED, answer.content
    assert isinstance(answer.parsed, models.CreatedDocument)
    return answer.parsed


def followed(batch_id: str) -> models.StatusDocument:
    """Poll until the batch is done, as a frontend does."""
    tag: str | types.Unset = types.UNSET
    document: models.StatusDocument | None = None
    for _ in range(600):
        answer = status.sync_detailed(client=CLIENT, batch_id=batch_id, if_none_match=tag)
        if isinstance(answer.parsed, models.StatusDocument):
            document, tag = answer.parsed, answer.headers["ETag"]
            if document.status is models.StatusDocumentStatus.DONE:
                return document
        else:
            assert answer.status_code is HTTPStatus.NOT_MODIFIED, answer.content
        time.sleep(0.2)
    raise AssertionError(f"not done: {document}")


def picture() -> types.File:
    return types.File(BytesIO(PICTURE.read_bytes()), "mine.png", "image/png")


def drawn() -> None:
    """Send the panel that the workflow starts from."""
    body = models.PanelRequest("madsea-2025-ep202", "S02", "E202", "SQ0010", "0020", picture())
    version = send_panel.sync(client=CLIENT, body=body)
    assert isinstance(version, models.VersionShape), version
    assert version.task is models.VersionShapeTask.EXTRACTED_RAW


def rendered() -> None:
    made = asked(models.GenerateRequestMode.AUTO)
    document = followed(made.batch_id)
    assert [plan.status.value for plan in document.plans] == ["done", "done"]
    assert all(result.url and result.thumbnail_url for result in document.results)
    page = logs.sync(batch_id=made.batch_id, client=CLIENT)
    assert isinstance(page, models.LogsResponse200)
    assert page.results[0].level.value == "info" and page.count >= len(page.results)


def made_by_hand() -> None:
    batch_id = asked(models.GenerateRequestMode.MANUEL).batch_id
    body = models.UploadRequest(
        batch_id=batch_id, sequence_id="SQ0010", plan="0010", file=picture()
    )
    version = upload.sync(client=CLIENT, body=body)
    assert isinstance(version, models.VersionShape), version
    assert version.origin is models.VersionShapeOrigin.UPLOAD
    stopped = cancel.sync(client=CLIENT, body=models.CancelRequest(batch_id=batch_id))
    assert isinstance(stopped, models.StatusDocument)
    assert [plan.status.value for plan in stopped.plans] == ["done", "cancelled"]
    again = models.RetryRequest(batch_id=batch_id, sequence_id="SQ0010", plan="0020")
    waiting = retry.sync(client=CLIENT, body=again)
    assert isinstance(waiting, models.StatusDocument)
    assert waiting.plans[1].status.value == "waiting"


def waited_for() -> None:
    batch_id = asked(models.GenerateRequestMode.AUTO).batch_id
    paused = steer.sync(
        batch_id=batch_id, client=CLIENT, body=models.PatchedSteerRequest(paused=True)
    )
    assert isinstance(paused, models.BatchShape) and paused.paused
    page = queue.sync(client=CLIENT, batch_id=batch_id)
    assert isinstance(page, models.QueueResponse200)
    assert isinstance(page.count, int) and isinstance(page.reasons.additional_properties, dict)
    refused = cancel.sync(client=CLIENT, body=models.CancelRequest(batch_id="nowhere"))
    assert isinstance(refused, models.Error) and refused.code == "unknown_batch"


drawn()
rendered()
made_by_hand()
waited_for()
