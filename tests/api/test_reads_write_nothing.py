"""Reading writes nothing and asks no server: every GET of the API and of the admin."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from generation.models import (
    Attempt,
    Batch,
    Block,
    Episode,
    Plan,
    Project,
    Sequence,
    Server,
    Style,
    Version,
)
from generation.states import RunState, ServerHealth
from review.models import ReviewLink
from storyboards.models import StoryboardImport
from tests import factories
from tests.listening import Listener

#: Pages that answer nothing without what a page of the admin sends along, or a guest's cookie.
PARTS = {
    "admin:autocomplete",
    "admin:view_on_site",
    "guest-cards",
    "guest-file",
    "guest-picture",
    "guest-zip",
}
#: A token that leads nowhere is counted, as a wrong password is.
COUNTED = {"guest-enter"}
ONE: dict[str, Callable[[], object]] = {
    "project_id": lambda: Project.objects.latest("pk").code,
    "episode": lambda: Episode.objects.latest("pk").code,
    "batch_id": lambda: Batch.objects.latest("pk").public_id,
    "style": lambda: Style.objects.latest("pk").code,
    "name": lambda: "OmbresChinoises.json",
    "storyboard_id": lambda: StoryboardImport.objects.latest("pk").public_id,
    "sha256": lambda: Version.objects.latest("pk").sha256,
    "app_label": lambda: "generation",
    "content_type_id": lambda: 1,
    "signed": lambda: "signed",
    "filename": lambda: "filename",
    "uidb64": lambda: "uid",
    "token": lambda: "token",
}
ROWS: dict[str, Any] = {
    "episodes-one": Episode,
    "sequences-one": Sequence,
    "plans-one": Plan,
    "plan-texts": Plan,
    "review-plan": Plan,
    "review-links-one": ReviewLink,
    "servers-one": Server,
    "version": Version,
    "recipe": Version,
    "rerun": Version,
    "admin:auth_user_password_change": User,
}
QUERIES: dict[str, Any] = {
    "status": lambda: f"?batch_id={ONE['batch_id']()}",
    **dict.fromkeys(
        ("events", "export-csv", "export-sheet", "export-zip"),
        lambda: f"?episode_id={row_of('episodes-one')}",
    ),
}
MODELS = {f"{model._meta.app_label}_{model._meta.model_name}": model for model in site._registry}


def named(patterns: Any, space: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name of each address, with what it is made of."""
    for each in patterns:
        if isinstance(each, URLResolver):
            below = f"{each.namespace}:" if each.namespace else ""
            yield from named(each.url_patterns, space + below)
        elif isinstance(each, URLPattern) and each.name:
            yield f"{space}{each.name}", tuple(each.pattern.regex.groupindex)


ADDRESSES = dict(named(get_resolver().url_patterns))


def row_of(name: str) -> int:
    """Return a row that an address may mean."""
    model = ROWS.get(name) or MODELS.get(name.removeprefix("admin:").rpartition("_")[0])
    last = model.objects.order_by("pk").last() if model else None
    return int(last.pk) if last else 0


def address(name: str) -> str:
    parts = ADDRESSES[name]
    values = {part: ONE[part]() if part in ONE else row_of(name) for part in parts}
    asked = QUERIES[name]() if name in QUERIES else ""
    return reverse(name, kwargs=values) + asked


@contextmanager
def written() -> Iterator[list[str]]:
    """Collect every statement that is no read."""
    found: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        is_read = sql.lstrip().upper().startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK"))
        if not is_read or " FOR " in sql.rpartition(" WHERE ")[2].upper():
            found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


@pytest.fixture
def world(db: None) -> Iterator[Listener]:
    """A row of everything, and a server that would notice whoever asks it."""
    batch = factories.batch([RunState.DONE, RunState.ERROR, RunState.RUNNING, RunState.QUEUED])
    factories.log(batch, batch.runs.first())
    factories.unmet(missing="Real.safetensors")
    StoryboardImport.objects.create(public_id="9f1c2d3e4b5a6978", n_bytes=1)
    ReviewLink.objects.create(
        token_hash="0" * 64, episode=Episode.objects.get(), expires_at=timezone.now()
    )
    Block.objects.create(server=Server.objects.get(), workflow=factories.workflow(), detail="3")
    assert Attempt.objects.exists()
    with Listener() as listener:
        Server.objects.update(url=listener.url, health=ServerHealth.UP, needs_reading=True)
        yield listener


@pytest.mark.parametrize("name", sorted(ADDRESSES.keys() - COUNTED))
def test_a_get_writes_nothing_and_asks_no_server(
    name: str, world: Listener, supervisor: User
) -> None:
    client = Client()
    client.force_login(supervisor)
    asked = address(name)

    with written() as found:
        answer = client.get(asked)

    assert found == []
    assert world.n_connections() == 0
    assert answer.status_code in {200, 302, 403, 404, 405}
    assert answer.status_code != 404 or name in PARTS | {"file", "storyboard-picture"}
