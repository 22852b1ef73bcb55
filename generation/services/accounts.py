"""Who may come in: tokens, which end with the password, and the user for trying Madsea out."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models.signals import post_save, pre_save
from rest_framework.authtoken.models import Token

from generation.extension_points import Registry

DEMO_NAME = "demo"
#: The apps whose rows the demo user may see and change: the engine, and those above it.
DEMO_APPS: Registry[str] = Registry(["generation"])


@dataclass(frozen=True)
class Access:
    """How to sign in: name and password for the admin, the token for the API."""

    name: str
    password: str
    token: str


def token_of(user: AbstractBaseUser) -> str | None:
    """Return the API token of a user whose password has just been checked, made if missing.

    None when the password was changed in between: a token never outlives the password that it was
    given for.
    """
    with transaction.atomic():
        # Locked against a change of the password, which deletes the tokens that it finds.
        known = User.objects.select_for_update().filter(
            pk=user.pk, password=user.password, is_active=True
        )
        holder = known.first()
        return Token.objects.get_or_create(user=holder)[0].key if holder else None


def end_tokens_with_passwords() -> None:
    """See to it that a token ends when its user's password is changed, whoever changes it.

    That is the admin, `manage.py changepassword`, `loaddata`, or whatever else saves a user.
    """
    pre_save.connect(_note_change, sender=User, dispatch_uid="madsea.password")
    post_save.connect(_end_tokens, sender=User, dispatch_uid="madsea.password")


def _note_change(instance: User, update_fields: Any, **_: Any) -> None:
    vars(instance)["_has_new_password"] = _is_new_password(instance, update_fields)


def _is_new_password(user: User, update_fields: Any) -> bool:
    if user.pk is None or (update_fields is not None and "password" not in update_fields):
        return False
    # So Django stores the same password under a newer hash when somebody signs in.
    is_rehashed = update_fields == {"password"} and user._password is None  # type: ignore[attr-defined] # noqa: SLF001
    return not is_rehashed and (
        not User.objects.filter(pk=user.pk, password=user.password).exists()
    )


def _end_tokens(instance: User, **_: Any) -> None:
    if vars(instance).pop("_has_new_password", False):
        Token.objects.filter(user=instance).delete()


def demo_user() -> Access:
    """Return the demo user's access, making the user, the password or the token if missing.

    The password is drawn once and kept in MADSEA_HOME. The user is staff and may do everything to
    what is Madsea's, nothing to users or to django-q2.
    """
    password = _kept_password(Path(settings.MADSEA_HOME) / "demo_password")
    with transaction.atomic():
        user, _ = User.objects.get_or_create(username=DEMO_NAME)
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
