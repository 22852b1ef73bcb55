"""Asks at every address of Madsea by every method, as each role: for `test_who_may_what`."""

import copy
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.core.cache import cache as kept
from django.db import models, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.authtoken.models import Token

from generation.services import roles, workflow_library
from generation.states import Mode, RunState
from review.services import links, reasons
from review.services.links import NewLink
from review.states import Decision
from storyboards.models import Convention
from tests import factories
from tests.api.calls import EXAMPLE, one_plan
from tests.review.deciding import concepts, decide, retake
from tests.storyboards import boards

#: Letters of the table: who has no account, a guest by a link, somebody without a role, the roles.
LETTERS = {
    "g": "guest",
    "n": "nobody",
    "a": roles.ARTIST,
    "s": roles.SUPERVISOR,
    "d": roles.DIRECTOR,
}
METHODS = ("GET", "POST", "PATCH", "DELETE")
#: What says that the door is shut.
_SHUT = {401, 403}
_REFUSED = "it takes the permission"


@cache
def addresses() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return each address's name with its route and what stands for its changing parts."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name, route, fields in _walk(get_resolver().url_patterns):
        if name and name not in found:
            found[name] = route, fields
    return found


def _walk(patterns: Any, route: str = "", space: str = "") -> Iterator[tuple[str, str, Any]]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, here, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield (
                f"{space}{pattern.name}",
                here,
                tuple(pattern.pattern.converters) or _groups(pattern),
            )


def _groups(pattern: URLPattern) -> tuple[str, ...]:
    regex = getattr(pattern.pattern, "regex", None)
    return tuple(regex.groupindex) if regex is not None else ()


def view(name: str) -> Any:
    """Return what answers at an address."""
    return next((each for called, each in _views() if called == name), None)


@cache
def _views() -> list[tuple[str, Any]]:
    patterns = [*_all(get_resolver().url_patterns)]
    return [(str(pattern.name), pattern.callback) for pattern in patterns]


def _all(patterns: Any) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _all(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield pattern


class Studio:
    """A row of each kind, and how they are asked for."""

    def __init__(self) -> None:
        workflow_library.read_folder()
        self.plan, other = factories.plans({"SQ0010": ["0010", "0020"]})
        factories.server()
        self.batch = factories.batch([RunState.ERROR], of=[self.plan])
        self.manual = factories.batch([RunState.WAITING], of=[other], mode=Mode.MANUEL)
        factories.log(self.batch)
        self.panel = factories.version(self.plan, task="extracted-raw")
        [self.version] = concepts(self.plan, 1)
        self.wrong = retake(*concepts(other, 1))
        self.review = decide(self.version, Decision.COMMENT, "Good.")
        made = links.create(NewLink(self.plan.sequence.episode_id), by=None)
        self.link, self.token = made.link, made.token
        self.reasons = reasons.write(self.project, ["Too dark"], by=None)
        self.draft = boards.read([boards.board(1)])
        Convention.objects.get_or_create(project=self.project)
        self.user = User.objects.create_user("somebody")
        Token.objects.create(user=self.user)

    @property
    def project(self) -> Any:
        return self.plan.sequence.episode.project

    def url(self, name: str) -> str:
        """Return an address with what it is asked about."""
        _, fields = addresses()[name]
        return reverse(name, kwargs={field: self._value(field, name) for field in fields})

    def _value(self, field: str, name: str) -> Any:
        known: Mapping[str, Any] = {
            "project_id": self.project.code,
            "episode": self.plan.sequence.episode.code,
            "plan_id": self.plan.pk,
            "token": self.token,
            "link_id": self.link.pk,
            "version_id": self.version.pk,
            "width_px": 640,
            "filename": str(self.version),
            "signed": str(self.version.pk),
            "batch_id": self.batch.public_id,
            "sha256": "a" * 64,
            "style": "ombres_chinoises",
            "name": "Silhouette.json",
            "storyboard_id": self.draft.public_id,
            "app_label": "generation",
            "content_type_id": 1,
            "url": "x",
        }
        return known[field] if field in known else self._row(name)

    def _row(self, name: str) -> Any:
        """Return the id of a row of the model that an address is about."""
        api: Mapping[str, models.Model] = {
            "episodes-one": self.plan.sequence.episode,
            "sequences-one": self.plan.sequence,
            "plans-one": self.plan,
            "plan-texts": self.plan,
            "version": self.version,
            "recipe": self.version,
            "rerun": self.version,
            "review-links-one": self.link,
            "review-links-revoke": self.link,
        }
        if name in api:
            return api[name].pk
        if not name.startswith("admin:"):
            return 1
        app, model = name.removeprefix("admin:").split("_")[:2]
        if name.startswith("admin:django_q"):
            return 1
        row = apps.get_model(app, model)._default_manager.first()
        return row.pk if row is not None else 1

    def body(self, name: str, method: str) -> dict[str, Any]:
        """Return what is sent: something that whoever may would be let do."""
        image = factories.sent(factories.png())
        place = {"project_id": self.project.code, "season": "S02", "episode": "E202"}
        known: Mapping[str, dict[str, Any]] = {
            "POST generate": EXAMPLE,
            "POST retry": {"batch_id": self.batch.public_id},
            "POST cancel": {"batch_id": self.manual.public_id},
            "POST upload": one_plan(self.manual, "0020") | {"file": image},
            "POST panels": place | {"sequence_id": "SQ0010", "plan": "0010", "file": image},
            "POST token": {"username": "somebody", "password": "x"},
            "PATCH plans-one": {"notes": "x", "text_revision": self.plan.text_revision},
            "PATCH batches-one": {"priority": 1},
            "POST rerun": {"seed": "new"},
            "POST workflows": {"file": factories.sent(b"{}", "A.json")},
            "PATCH workflows-one": {"answers": {}},
            "POST admin:generation_namedworkflow_try": {
                "plan": self.plan.pk,
                "style": "ombres_chinoises",
            },
            "POST recipe-lookup": {"file": image},
            "POST storyboards": place | {"file": factories.sent(b"%PDF-1.4", "E202.pdf")},
            "PATCH storyboard-boards": {"boards": [{"position": 1, "notes": "x"}]},
            "POST reviews": {
                "reviews": [
                    {"version": self.version.pk, "seen": "to_review", "decision": "approve"}
                ]
            },
            "POST reviews-table": {
                "file": factories.sent(
                    f"version;seen;decision\n{self.version.pk};to_review;approve".encode(), "a.csv"
                )
            },
            "POST retakes": {"retakes": [{"version": self.wrong.version_id}]},
            "PATCH retake-reasons": {"reasons": ["Darker"]},
            "POST review-links": {"episode_id": self.plan.sequence.episode_id},
        }
        return known.get(f"{method} {name}", {})


#: Where who may not come in is told that there is nothing.
HIDDEN = {"file", "storyboard-picture", "guest-cards", "guest-enter", "guest-file"} | {
    "guest-judge",
    "guest-name",
    "guest-password",
    "guest-picture",
    "guest-zip",
}
#: What is sent as a form, with a file.
FORMS = {"upload", "panels", "workflows", "recipe-lookup", "storyboards", "reviews-table"}


class Visitor:
    """Somebody of a role in front of a browser, or a program of theirs."""

    def __init__(self, role: str, studio: Studio) -> None:
        self.studio, self.is_guest = studio, role == "guest"
        self.client = Client(raise_request_exception=False)
        if self.is_guest:
            self.client.get(f"/r/{studio.token}")
        elif role != "anonymous":
            user = User.objects.create_user(f"some {role}", is_staff=True)
            user.groups.set(Group.objects.filter(name=role))
            self.client.force_login(user)

    def is_let_in(self, name: str, method: str, body: dict[str, Any] | None = None) -> bool | None:
        """Tell whether it is done, or would be if it made sense; None: there is no such method.

        `body` is sent in place of what would make sense.
        """
        is_api = not name.startswith(("admin:", "guest-", "review-table", "set_language"))
        kind = {} if name in FORMS or not is_api else {"content_type": "application/json"}
        kept.clear()
        cookies = copy.deepcopy(self.client.cookies)
        with transaction.atomic():
            send = getattr(self.client, method.lower())
            sent = self.studio.body(name, method) if body is None else body
            given = {} if method == "GET" else {"data": sent, **kind}
            answer = send(self.studio.url(name), **given)
            let_in = _let_in(answer, name)
            transaction.set_rollback(True)
        # Whoever signs out stays: the next address is asked as well.
        self.client.cookies = cookies
        return let_in


def _let_in(answer: HttpResponseBase, name: str) -> bool | None:
    if answer.status_code == 405:
        return None
    if answer.status_code == 404 and name in HIDDEN:
        return False
    location = answer.get("Location", "")
    if answer.status_code in _SHUT or location.startswith("/admin/login/"):
        return False
    told = [str(each) for each in get_messages(answer.wsgi_request)]  # type: ignore[attr-defined]
    page = b"" if answer.streaming else getattr(answer, "content", b"")
    return not any(_REFUSED in each for each in [*told, page.decode(errors="replace")])
