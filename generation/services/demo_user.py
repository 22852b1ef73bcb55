"""The user for trying Madsea out: made with its password, its permissions and its token."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import transaction
from rest_framework.authtoken.models import Token

from generation.extension_points import Registry
from generation.services import acts

DEMO_NAME = "demo"
#: The apps whose rows the demo user may see and change: the engine, and those above it.
DEMO_APPS: Registry[str] = Registry(["generation"])


@dataclass(frozen=True)
class Access:
    """How to sign in: name and password for the admin, the token for the API."""

    name: str
    password: str
    token: str


def ensure() -> Access:
    """Return the demo user's access, making the user, the password or the token if missing.

    The password is drawn once and kept in MADSEA_HOME. The user is staff and may do everything to
    what is Madsea's, nothing to users or to django-q2.
    """
    password = _kept_password(Path(settings.MADSEA_HOME) / "demo_password")
    with transaction.atomic():
        user, is_new = User.objects.get_or_create(username=DEMO_NAME)
        if is_new:
            acts.record("create", user, by=None)
        if not user.check_password(password):
            user.set_password(password)
        user.is_staff = user.is_active = True
        user.save()
        own = Permission.objects.filter(content_type__app_label__in=DEMO_APPS)
        user.user_permissions.set(own)
        token, _ = Token.objects.get_or_create(user=user)
    return Access(DEMO_NAME, password, token.key)


def _kept_password(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return file.read_text(encoding="utf-8").strip()
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        handle.write(password := secrets.token_hex(8))
    return password
