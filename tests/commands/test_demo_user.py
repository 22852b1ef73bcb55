import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from rest_framework.authtoken.models import Token

from generation.services import demo_user
from tests.commands.running import run

pytestmark = pytest.mark.django_db


def test_the_demo_user_can_sign_in_and_has_a_token(settings: Any) -> None:
    settings.DEBUG = True

    access = json.loads(run("demo_user", json=True))

    user = authenticate(username=access["name"], password=access["password"])
    assert isinstance(user, User)
    assert user.is_staff
    assert re.fullmatch(r"[0-9a-f]{40}", access["token"])
    assert Token.objects.get(key=access["token"]).user == user


def test_name_password_and_token_are_printed_plainly(settings: Any) -> None:
    settings.DEBUG = True

    said = run("demo_user")

    access = demo_user.ensure()
    assert said.splitlines() == [
        f"name      {access.name}",
        f"password  {access.password}",
        f"token     {access.token}",
    ]


def test_asked_again_it_is_the_same_access(home: Path) -> None:
    assert demo_user.ensure() == demo_user.ensure()
    assert (home / "demo_password").stat().st_mode & 0o777 == 0o600


def test_a_lost_password_is_set_again(home: Path) -> None:
    demo_user.ensure()
    (home / "demo_password").write_text("another-one")

    access = demo_user.ensure()

    assert authenticate(username="demo", password="another-one") is not None
    assert access.password == "another-one"


def test_it_may_do_everything_to_what_is_madsea_s_and_nothing_to_users() -> None:
    demo_user.ensure()

    user = User.objects.get(username="demo")
    assert user.has_perm("generation.change_planrun")
    assert not user.has_perm("auth.change_user")
    assert not user.has_module_perms("django_q")


def test_production_has_no_demo_user(settings: Any) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="DEBUG=1"):
        run("demo_user")
    assert not User.objects.exists()
