"""Every change at every door leaves its act: API, admin, commands, each change in one table.

A door that the tables lack fails: whoever adds one says there which acts it leaves.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from generation.management import commands as engine_commands
from generation.models import Act, Batch, Block, NamedWorkflow, Server, Style
from generation.services import api_tokens, plan_attributes
from generation.states import ServerHealth
from review.management import commands as review_commands
from storyboards.management import commands as storyboard_commands
from tests import factories
from tests.admin import pages
from tests.commands.running import run
from tests.review import deciding, doors, test_retakes
from tests.review.doors import Studio
from tests.review.test_who_may_what import EXPECTED

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
GRAPH = ROOT / "tests/data/workflows/graphs/c01_hires_fix.json"
BOARDS = ROOT / "tests/data/storyboards"
NAME = "E202_SQ0010-0010_{task}.png"


@pytest.fixture
def studio(supervisor: User) -> Studio:
    made = Studio()
    # One that a batch has made tells how it is made again.
    [rendered] = test_retakes.rendered(sequences=[{"sequence_id": "SQ0020", "plans": ["0010"]}])
    made.wrong = deciding.retake(rendered)
    return made


@pytest.fixture
def program(supervisor: User) -> Client:
    """A browser and program of somebody who may do everything."""
    client = Client(raise_request_exception=False)
    client.force_login(supervisor)
    return client


def left_by(do: Callable[[], object]) -> list[str]:
    """Return the acts that something leaves: "ask batch"; it is taken back afterwards."""
    with transaction.atomic():
        before = set(Act.objects.values_list("pk", flat=True))
        do()
        acts = Act.objects.exclude(pk__in=before).order_by("pk")
        told = [f"{act.verb} {act.target_kind} by {act.actor_name}" for act in acts]
        transaction.set_rollback(True)
    return told


def named(name: str, wanted: str) -> list[str]:
    return [f"{each} by {name}" for each in wanted.split(", ") if each]


# The API ------------------------------------------------------------------------------------------

#: What an address by a method leaves; "": it changes nothing that is anybody's.
API: Mapping[str, str] = {
    "POST generate": "ask batch",
    "POST retry": "retry batch",
    "POST cancel": "cancel batch",
    "POST upload": "upload version",
    "POST panels": "give version",
    "POST token": "give token user",
    "PATCH plans-one": "write plan",
    "PATCH batches-one": "steer batch",
    "POST rerun": "ask batch",
    "POST recipe-lookup": "",
    "POST workflows": "give workflow namedworkflow",
    "PATCH workflows-one": "change workflow namedworkflow",
    "POST storyboards": "send in storyboardimport",
    "PATCH storyboard-boards": "correct storyboardimport",
    "POST storyboard-confirm": "write plan, confirm storyboardimport",
    "POST reviews": "approve version",
    "POST reviews-table": "approve version",
    "POST retakes": "make_again batch",
    "PATCH retake-reasons": "set reasons project",
    "POST review-links": "share reviewlink",
    "POST review-links-revoke": "revoke reviewlink",
    # The last: files that are deleted do not come back.
    "DELETE storyboards-one": "delete storyboardimport",
}
#: Takes a version that was rendered with a whole graph: `tests/api/test_recipes.py` asks there.
ASKS_ELSEWHERE = {"POST rerun"}
PASSWORD = "a-password-of-theirs"


def test_every_address_that_changes_something_is_in_the_table() -> None:
    unsafe = {
        f"{method} {name}"
        for name, methods in EXPECTED.items()
        for method in methods
        if method != "GET" and not name.startswith(("admin:", "guest", "set_language"))
    }
    # The guide's page takes what forms send, and answers as it does to GET.
    assert unsafe - {"POST guide"} == set(API)


def test_each_change_over_the_api_leaves_its_act(studio: Studio, program: Client) -> None:
    holder = User.objects.get(username="somebody")
    holder.set_password(PASSWORD)
    holder.save()
    asked = [door for door in API if door not in ASKS_ELSEWHERE]

    left = {door: left_by(lambda door=door: _send(studio, program, door)) for door in asked}

    # Whoever asks for a token is known by the password alone.
    who = {door: "somebody" if door == "POST token" else "supervisor" for door in asked}
    assert left == {door: named(who[door], API[door]) for door in asked}


def _send(studio: Studio, client: Client, door: str) -> None:
    method, _, name = door.partition(" ")
    own = {
        "POST token": {"username": "somebody", "password": PASSWORD},
        "POST workflows": {"file": factories.sent(GRAPH.read_bytes(), "Given.json")},
    }
    given = own.get(door) or studio.body(name, method)
    kind = {} if name in doors.FORMS else {"content_type": "application/json"}
    answer = getattr(client, method.lower())(studio.url(name), given, **kind)
    assert answer.status_code < 300, (door, answer.content)


# The admin ----------------------------------------------------------------------------------------

Prepare = Callable[[Studio], Any]
Form = Callable[[Studio], dict[str, Any]]


def _batch(studio: Studio) -> Batch:
    return studio.batch


def _manual(studio: Studio) -> Batch:
    return studio.manual


def _paused(studio: Studio) -> Batch:
    Batch.objects.filter(pk=studio.manual.pk).update(paused_at=timezone.now())
    return studio.manual


def _server(**fields: Any) -> Prepare:
    def changed(studio: Studio) -> Server:
        Server.objects.update(**fields)
        return Server.objects.get()

    return changed


def _blocked(studio: Studio) -> Server:
    server = Server.objects.get()
    Block.objects.create(server=server, workflow=studio.batch.workflow, detail="It failed.")
    return server


def _down(studio: Studio) -> Server:
    factories.attempt(studio.batch.runs.get())
    return _server(health=ServerHealth.DOWN, down_since=timezone.now())(studio)


def _set_aside(studio: Studio) -> Server:
    return _server(set_aside_at=timezone.now(), set_aside_code="cuda_poisoned")(studio)


def _first(model: Any) -> Prepare:
    return lambda studio: model.objects.order_by("pk").first()


def _nothing(studio: Studio) -> dict[str, Any]:
    return {}


def _form(**fields: Any) -> Form:
    return lambda studio: fields


def _file(studio: Studio) -> dict[str, Any]:
    return {"file": factories.sent(factories.png(), NAME.format(task="extracted-raw"))}


def _texts(studio: Studio) -> dict[str, Any]:
    held = plan_attributes.current(studio.plan) | {"text_revision": studio.plan.text_revision}
    return {k: v for k, v in held.items() if v is not None} | {"notes": "Darker."}


def _edited(model: str, row: Any, **change: Any) -> Form:
    """Return the form of a row as its page has it, with something changed."""

    def form(studio: Studio) -> dict[str, Any]:
        client = Client()
        client.force_login(User.objects.get(username="supervisor"))
        shown = client.get(f"/admin/{model}/{row(studio).pk}/change/").context["adminform"].form
        held = {name: shown[name].value() for name in shown.fields}
        return {name: value for name, value in held.items() if value is not None} | change

    return form


#: A change in the admin: its address, the row, what is sent, and the act that it leaves.
ADMIN: list[tuple[str, Prepare, Form, str]] = [
    ("generation_batch_name", _batch, _form(name="Forest"), "steer batch"),
    ("generation_batch_priority", _batch, _form(priority=5), "steer batch"),
    ("generation_batch_max_tries", _batch, _form(max_tries=7), "steer batch"),
    ("generation_batch_retry", _batch, _nothing, "retry batch"),
    ("generation_batch_cancel", _manual, _nothing, "cancel batch"),
    ("generation_batch_pause", _manual, _nothing, "steer batch"),
    ("generation_batch_resume", _paused, _nothing, "steer batch"),
    ("generation_batch_raise", _manual, _nothing, "steer batch"),
    ("generation_batch_lower", _manual, _nothing, "steer batch"),
    ("generation_planrun_retry", lambda s: s.batch.runs.get(), _nothing, "retry batch"),
    ("generation_planrun_cancel", lambda s: s.manual.runs.get(), _nothing, "cancel batch"),
    ("generation_planrun_upload", lambda s: s.manual.runs.get(), _file, "upload version"),
    ("generation_plan_retry", lambda s: s.plan, _nothing, "retry batch"),
    ("generation_plan_cancel", lambda s: s.manual.runs.get().plan, _nothing, "cancel batch"),
    ("generation_plan_panel", lambda s: s.plan, _file, "give version"),
    ("generation_plan_texts", lambda s: s.plan, _texts, "write plan"),
    ("generation_sequence_panels", lambda s: s.plan.sequence, _file, "give version"),
    (
        "generation_namedworkflow_try",
        lambda s: NamedWorkflow.objects.get(name="Silhouette.json"),
        lambda s: {"plan": s.plan.pk, "style": "ombres_chinoises"},
        "try workflow batch",
    ),
    (
        "generation_namedworkflow_delete",
        _first(NamedWorkflow),
        _form(post="yes"),
        "delete namedworkflow",
    ),
    ("generation_server_look", _server(), _nothing, ""),
    ("generation_server_enable", _server(is_enabled=False), _nothing, "enable server"),
    ("generation_server_disable", _server(), _nothing, "disable server"),
    ("generation_server_drain", _server(), _nothing, "drain server"),
    ("generation_server_undrain", _server(is_draining=True), _nothing, "undrain server"),
    ("generation_server_take_back", _set_aside, _nothing, "take back server"),
    ("generation_server_lift", _blocked, _nothing, "lift server"),
    ("generation_server_give_up", _down, _nothing, "give up server"),
    ("generation_server_forget", _server(login="a:b"), _nothing, "forget server"),
    (
        "generation_server_change",
        _server(),
        _form(name="gpu-9", url="http://127.0.0.1:1/gpu-1", headers="{}"),
        "change server",
    ),
    (
        "generation_style_change",
        _first(Style),
        _edited("generation/style", _first(Style), label="Shadows"),
        "change style",
    ),
    ("generation_style_delete", lambda s: _unused(), _form(post="yes"), "delete style"),
    ("review_reviewlink_revoke", lambda s: s.link, _nothing, "revoke reviewlink"),
    (
        "review_retakereasons_change",
        lambda s: s.reasons,
        _form(lines="Darker"),
        "set reasons project",
    ),
    (
        "storyboards_convention_change",
        lambda s: s.project.storyboard_convention,
        lambda s: {
            "project": s.project.pk,
            "style_words": "{}",
            "default_style": "labo",
            "sequences_by": "shot",
        },
        "change convention",
    ),
    (
        "auth_user_delete",
        lambda s: User.objects.create_user("gone"),
        _form(post="yes"),
        "delete user",
    ),
    (
        "auth_user_password_change",
        lambda s: User.objects.get(username="somebody"),
        _form(password1=PASSWORD, password2=PASSWORD, usable_password="true"),
        "change user",
    ),
    (
        "auth_group_delete",
        lambda s: Group.objects.create(name="x"),
        _form(post="yes"),
        "delete group",
    ),
    (
        "auth_group_change",
        lambda s: Group.objects.create(name="x"),
        _form(name="Lighting"),
        "change group",
    ),
]
#: A new row: the address of its form, what is sent, and the act.
ADDED: list[tuple[str, Form, str]] = [
    (
        "generation_server_add",
        _form(name="gpu-7", url="http://10.0.0.7:8188", headers="{}"),
        "create server",
    ),
    (
        "generation_style_add",
        lambda s: _edited("generation/style", _first(Style))(s) | {"code": "ink"},
        "create style",
    ),
    (
        "auth_user_add",
        _form(username="new", password1=PASSWORD, password2=PASSWORD, usable_password="true"),
        "create user",
    ),
    ("auth_group_add", _form(name="Lighting"), "create group"),
    ("authtoken_tokenproxy_add", lambda s: {"user": _tokenless().pk}, "give token user"),
    (
        "generation_namedworkflow_give",
        lambda s: {"file": factories.sent(GRAPH.read_bytes(), "Given.json")},
        "give workflow namedworkflow",
    ),
]
#: Pages of several steps, which call the services that the doors above do: their own tests ask.
IN_STEPS = {
    "admin:generation_batch_retry_with",
    "admin:generation_planrun_retry_with",
    "admin:generation_namedworkflow_contract",
    "admin:generation_plan_generate",
    "admin:generation_version_again",
    "admin:generation_version_new_seed",
    "admin:review_review_read_table",
    "admin:review_reviewlink_add",
    "admin:review_retakereasons_add",
}
#: Changes nothing that is anybody else's: one's own language, session and password.
OWN = {"index", "search", "login", "logout", "password_change", "app_list"}


def _unused() -> Style:
    return Style.objects.create(code="other", label="Other", workflow_name="Silhouette.json")


def _tokenless() -> User:
    return User.objects.create_user("tokenless")


def test_every_act_of_the_admin_is_in_the_tables() -> None:
    told = {f"admin:{name}" for name, *_ in [*ADMIN, *ADDED]} | IN_STEPS
    passive = ("_changelist", "_history", "_answer")
    changing = {
        name
        for name, methods in EXPECTED.items()
        if name.startswith("admin:") and methods.get("POST") and not name.endswith(passive)
    }
    assert changing - {f"admin:{name}" for name in OWN} - told == set()


def test_each_change_in_the_admin_leaves_its_act(studio: Studio, program: Client) -> None:
    left = {
        name: left_by(lambda case=case: _press(studio, program, *case))
        for case in ADMIN
        for name in [case[0]]
    }

    assert left == {name: named("supervisor", act) for name, _row, _form, act in ADMIN}


def _press(studio: Studio, client: Client, name: str, row: Prepare, form: Form, _act: str) -> None:
    pk = row(studio).pk
    address = doors.reverse(f"admin:{name}", args=[pk])
    client.force_login(User.objects.get(username="supervisor"))
    answer = client.post(address, form(studio))
    if answer.status_code == 200 and b"madsea-question" in answer.content:
        pages.agree(client, pages.asked(answer))
    else:
        assert answer.status_code == 302, (name, answer.content.decode()[-3000:])


def test_each_new_row_of_the_admin_leaves_its_act(studio: Studio, program: Client) -> None:
    left = {
        name: left_by(lambda case=(name, form): _add(studio, program, *case))
        for name, form, _ in ADDED
    }

    assert left == {name: named("supervisor", act) for name, _form, act in ADDED}


def _add(studio: Studio, client: Client, name: str, form: Form) -> None:
    answer = client.post(doors.reverse(f"admin:{name}"), form(studio))
    assert answer.status_code == 302, (name, answer.content.decode()[-3000:])


def test_rows_that_are_deleted_together_leave_an_act_each(studio: Studio, program: Client) -> None:
    rows = list(NamedWorkflow.objects.order_by("pk")[:2])

    def both() -> None:
        form = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
        program.post(pages.url("namedworkflow"), form | {"post": "yes"})

    assert left_by(both) == named("supervisor", "delete namedworkflow, delete namedworkflow")


def test_what_is_secret_is_in_no_act(studio: Studio, program: Client) -> None:
    token = Token.objects.get()
    form = {
        "name": "gpu-1",
        "url": "http://me:s3cret@127.0.0.1:1/gpu-1",
        "headers": '{"X": "s3cret"}',
    }
    program.post(pages.url("server", Server.objects.get().pk), form)
    program.post("/admin/authtoken/tokenproxy/add/", {"user": _tokenless().pk})
    api_tokens.note_ended(token.user, by=None)

    told = "".join(f"{act.target} {act.before} {act.after}" for act in Act.objects.all())

    assert "headers" in told
    assert "s3cret" not in told
    assert not any(each.key in told for each in Token.objects.all())


# Commands -----------------------------------------------------------------------------------------

#: Commands that look, serve or clean up.
READERS = {
    "check_nomenclature",
    "comfyui_preview",
    "derive",
    "export_reviews",
    "read_storyboards",
    "send_summary",
    "serve",
    "web",
    "work",
}
Run = Callable[[Studio, Path], object]


def _folder(tmp: Path, task: str) -> Path:
    (tmp / NAME.format(task=task)).write_bytes(factories.png(color="red"))
    return tmp


def _table(studio: Studio, tmp: Path) -> Path:
    file = tmp / "a.csv"
    file.write_text(f"version;seen;decision\n{studio.version.pk};to_review;approve")
    return file


def _pem(tmp: Path) -> str:
    return ":".join(["AB"] * 32)


COMMANDS: list[tuple[str, Run, str]] = [
    (
        "generate",
        lambda s, tmp: run("generate", ROOT / "samples/request.json", user="supervisor"),
        "ask batch",
    ),
    (
        "cancel_batches",
        lambda s, tmp: run("cancel_batches", batch=s.manual.public_id, user="supervisor"),
        "cancel batch",
    ),
    (
        "retry_plans",
        lambda s, tmp: run("retry_plans", batch=s.batch.public_id, user="supervisor"),
        "retry batch",
    ),
    (
        "import_panels",
        lambda s, tmp: run(
            "import_panels",
            s.project.code,
            "E202",
            _folder(tmp, "extracted-raw"),
            user="supervisor",
        ),
        "give version",
    ),
    (
        "import_concepts",
        lambda s, tmp: run(
            "import_concepts", _folder(tmp, "AI-concept"), project=s.project.code, user="supervisor"
        ),
        "give version",
    ),
    (
        "import_workflow",
        lambda s, tmp: run("import_workflow", GRAPH, user="supervisor"),
        "give workflow namedworkflow",
    ),
    (
        "import_storyboard",
        lambda s, tmp: run(
            "import_storyboard",
            "--project",
            "other",
            "--episode",
            "E202",
            "--confirm",
            _boards(tmp),
            user="supervisor",
        ),
        "send in storyboardimport, write plan, confirm storyboardimport",
    ),
    (
        "import_reviews",
        lambda s, tmp: run("import_reviews", _table(s, tmp), user="supervisor"),
        "approve version",
    ),
    (
        "retake_plans",
        lambda s, tmp: run(
            "retake_plans",
            project=s.project.code,
            episode="E202",
            sequence="SQ0020",
            user="supervisor",
        ),
        "make_again batch",
    ),
    (
        "servers --take-back",
        lambda s, tmp: (_set_aside(s), run("servers", "--take-back", "gpu-1", user="supervisor")),
        "take back server",
    ),
    (
        "servers --access",
        lambda s, tmp: run(
            "servers", "--access", "gpu-1", "--certificate", _pem(tmp), user="supervisor"
        ),
        "change server",
    ),
    ("adopt_storage", lambda s, tmp: run("adopt_storage", user="supervisor"), "adopt volume"),
]


def _boards(tmp: Path) -> Path:
    (tmp / "boards").mkdir()
    name = "E202_SQ0010-0010_extracted-raw_v0001.png"
    copy(ROOT / "samples/panels" / name, tmp / "boards/0010.png")
    return tmp / "boards"


def test_every_command_is_in_the_tables() -> None:
    modules = (engine_commands, review_commands, storyboard_commands)
    folders = [Path(str(module.__path__[0])) for module in modules]
    there = {file.stem for folder in folders for file in folder.glob("[a-z]*.py")}
    # The demo user is nobody's doing: `test_the_demo_user_is_the_console_s`.
    assert there - READERS - {"demo_user"} == {name.split()[0] for name, *_ in COMMANDS}


def test_each_change_by_a_command_leaves_its_act(studio: Studio, tmp_path: Path) -> None:
    left = {}
    for name, do, _act in COMMANDS:
        folder = tmp_path / name
        folder.mkdir()
        left[name] = left_by(lambda do=do, folder=folder: do(studio, folder))

    assert left == {name: named("supervisor", act) for name, _do, act in COMMANDS}


def test_the_demo_user_is_the_console_s(db: None, settings: Any) -> None:
    settings.DEBUG = True

    assert left_by(lambda: run("demo_user")) == named("the console", "create user")
