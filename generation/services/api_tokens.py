"""The API's tokens: given for a password that was checked, and ended with it."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.signals import post_save, pre_save
from rest_framework.authtoken.models import Token

from generation.services import acts


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
        if holder is None:
            return None
        token, is_new = Token.objects.get_or_create(user=holder)
        if is_new:
            note_given(holder, by=holder)
        return str(token.key)


def note_given(holder: User, *, by: User | None) -> None:
    """Write down that somebody has a token now; never the token."""
    acts.record("give token", holder, by=by)


def note_ended(holder: User, *, by: User | None) -> None:
    """Write down that somebody's token was deleted."""
    acts.record("end token", holder, by=by)


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
