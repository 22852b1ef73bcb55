"""Signing in: at whichever door, one try is counted, and only then is the password looked at."""

import re
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from generation.services import login_throttle
from madsea.web import client_addresses

#: Where guests send the password of their link.
_OF_GUESTS = re.compile(r"/r/[0-9]+/password")


def is_login(scope: dict[str, Any]) -> bool:
    """Tell whether a request may have a password checked."""
    if scope.get("method") != "POST":
        return False
    path = str(scope.get("path", "")).removeprefix(str(scope.get("root_path", "")))
    return path.rstrip("/") in {"/api/token", "/admin/login"} or bool(_OF_GUESTS.fullmatch(path))


class CountingBackend(ModelBackend):
    """Django's, but tries of one name from one client are slowed: `services.login_throttle`."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **given: Any,
    ) -> User | None:
        """Return the user whose name and password these are.

        Raises:
            TooSoon: this client tries this name too often.
        """
        if request is None or username is None:
            return super().authenticate(request, username, password, **given)
        source = client_addresses.network(request)
        login_throttle.count(username, source)
        user = super().authenticate(request, username, password, **given)
        if user is not None:
            login_throttle.forgive(username, source)
        return user
