"""The recurring people, and a home of their own for what tests write."""

import gc
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models.signals import post_migrate
from django.test.utils import teardown_databases
from pytest_django import DjangoDbBlocker
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from generation.models import Batch, Plan, Style
from generation.selectors import expected_ends
from generation.services import volumes
from tests import databases, dealing, factories, shared
from tests.locks import Recorder


def pytest_configure() -> None:
    """Collect thousands of tests without the garbage collector, which finds nothing of theirs."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal the tests out to the processes of the run."""
    if n_processes := getattr(config, "workerinput", {}).get("workercount"):
        items[:] = dealing.deal(items, n_processes, lambda item: item.nodeid.partition("::")[0])


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over the thousands of tests that were collected: a tenth."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """This process' database, migrated once in a run of several processes."""
    with django_db_blocker.unblock():
        made = databases.set_up(shared.folder_of(tmp_path_factory))
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any) -> Path:
    """A MADSEA_HOME of this test's own, with an empty projects root."""
    settings.MADSEA_HOME = tmp_path / "home"
    settings.MADSEA_PROJECTS_ROOT = tmp_path / "home" / "projects"
    settings.MADSEA_PROJECTS_ROOT.mkdir(parents=True)
    # Who may what is tested by tests of its own: `tests/services/test_roles.py`.
    settings.MADSEA_EVERYBODY_MAY = True
    # Static files are looked up when asked for: gathering them costs every test client 50 ms.
    settings.WHITENOISE_AUTOREFRESH = True
    # What one test's queue was expected to take is nothing to the next.
    expected_ends.RECENT.clear()
    expected_ends.POLLED.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return tmp_path / "home"


@pytest.fixture
def adopted_home(home: Path, db: None) -> Path:
    """A home whose volume the database knows before anything is taken back: for many examples."""
    volumes.expected_marks()
    return home


@pytest.fixture(autouse=True, scope="session")
def styles_stay() -> None:
    """The styles that the migrations made come back when a test with real commits is flushed."""
    post_migrate.connect(_restore_styles, dispatch_uid="styles", weak=False)


def _restore_styles(**_: Any) -> None:
    made = import_module("generation.migrations.0001_squashed").STYLES
    Style.objects.bulk_create([Style(**fields) for fields in made], ignore_conflicts=True)


@pytest.fixture(scope="session")
def lock_recorder() -> Recorder:
    """Reads what every connection locks."""
    recorder = Recorder()
    recorder.install()
    return recorder


@pytest.fixture(autouse=True)
def locks_in_order(lock_recorder: Recorder) -> Iterator[list[str]]:
    """Every test fails that takes locks in another order than Madsea's."""
    lock_recorder.found.clear()
    yield lock_recorder.found
    assert lock_recorder.found == []


@pytest.fixture
def projects_root(home: Path) -> Path:
    """Where this test's result files go."""
    return home / "projects"


@pytest.fixture
def supervisor(db: None) -> User:
    """Runs the production: works in the admin, may do everything there."""
    return User.objects.create_superuser("supervisor", password="supervisor-pw")


@pytest.fixture
def artist(db: None) -> User:
    """Asks for plans and uploads images; no access to the admin."""
    return User.objects.create_user("artist", password="artist-pw")


@pytest.fixture
def stranger(db: None) -> User:
    """Once worked here: the account is disabled, the token still lies about."""
    return User.objects.create_user("stranger", password="stranger-pw", is_active=False)


def client_of(user: User) -> APIClient:
    """Return a client of the API that sends this user's token."""
    token, _ = Token.objects.get_or_create(user=user)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


@pytest.fixture
def api(artist: User) -> APIClient:
    """The API as the artist's frontend uses it."""
    return client_of(artist)


@pytest.fixture
def anonymous() -> APIClient:
    """The API without a token."""
    cache.clear()
    return APIClient()


@pytest.fixture
def plans(db: None) -> list[Plan]:
    """Three plans of SQ0010 in episode E202."""
    return factories.plans()


@pytest.fixture
def batch(db: None) -> Batch:
    """A batch of three queued plans."""
    return factories.batch()
