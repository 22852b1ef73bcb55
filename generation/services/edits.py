"""Rows that people edit as such: styles, servers, conventions, users. Each edit leaves one act.

Whatever door it comes through calls `save` or `delete`; one that saves a row in steps of its own
(Django's pages of users) calls `held` before and `note` after.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Field, ForeignKey, Model

from generation.models.server import SECRETS
from generation.services import acts, permissions
from wording import say

#: Fields of which an act keeps no value.
HIDDEN = frozenset({"headers", "password", "key", *SECRETS})
_NOT_SHOWN = "***"
#: A value of more characters, such as a workflow's graph, is told by its beginning.
_LONGEST = 2000


def save(row: Model, names: Collection[str] = (), *, by: User | None) -> bool:
    """Write a row as it was edited; False where nothing is another than it was.

    `names` are the fields that may have been edited, none: all. Of a row that is there, only what
    has changed is written: a driver writes other columns of a server at the same time.

    Raises:
        Forbidden: who edits it may not.
    """
    _require(row, "add" if _is_new(row) else "change", by)
    with transaction.atomic():
        stored = _stored(row)
        if stored is None:
            row.save()
            acts.record("create", row, by=by, after=_told(row, names))
            return True
        before, after = _told(stored, names), _told(row, names)
        changed = [each.name for each in _fields(row, names) if _differs(each, stored, row)]
        if changed:
            row.save(update_fields=changed)
            acts.record(
                "change", row, by=by, before=_of(before, changed), after=_of(after, changed)
            )
    return bool(changed)


def delete(row: Model, *, by: User | None) -> None:
    """Delete a row.

    Raises:
        Forbidden: who deletes it may not.
    """
    _require(row, "delete", by)
    with transaction.atomic():
        acts.record("delete", row, by=by, before=_told(row))
        row.delete()


def held(row: Model) -> dict[str, Any]:
    """Return what is stored of a row, and of its lists; nothing where there is no such row yet."""
    stored = _stored(row)
    return {} if stored is None else _whole(stored)


def note(row: Model, before: Mapping[str, Any], *, by: User | None) -> None:
    """Write down what became of a row since `held`, unless nothing has changed."""
    after = _whole(row)
    changed = [name for name in after if after[name] != before.get(name)]
    if before and changed:
        acts.record(
            "change", row, by=by, before=_shown(before, changed), after=_shown(after, changed)
        )
    elif not before:
        acts.record("create", row, by=by, after=_shown(after, after))


@contextmanager
def noted(row: Model | None, *, by: User | None) -> Iterator[None]:
    """Write down what becomes of a row within; of none, nothing."""
    with transaction.atomic():
        before = {} if row is None else held(row)
        yield
        if row is not None:
            row.refresh_from_db()
            note(row, before, by=by)


def _require(row: Model, verb: str, by: User | None) -> None:
    of = _options(row)
    permissions.require(by, f"{of.app_label}.{verb}_{of.model_name}", say("change what is edited"))


def _stored(row: Model) -> Any:
    rows = _options(row).base_manager.filter(pk=row.pk)
    locked = rows.select_for_update(of=("self",), no_key=True)
    return None if _is_new(row) else locked.first()


def _is_new(row: Model) -> bool:
    return bool(row._state.adding)  # noqa: SLF001 - how Django knows


def _options(row: Model) -> Any:
    return row._meta  # noqa: SLF001 - how Django names what a row is


def _fields(row: Model, names: Collection[str] = ()) -> list["Field[Any, Any]"]:
    every = _options(row).concrete_fields
    fields = [each for each in every if each.editable and not each.primary_key]
    return [each for each in fields if not names or each.name in names]


def _differs(field: "Field[Any, Any]", one: Model, other: Model) -> bool:
    return bool(field.value_from_object(one) != field.value_from_object(other))


def _told(row: Model, names: Collection[str] = ()) -> dict[str, Any]:
    """Return what an act tells of a row: its fields, secrets by their names alone."""
    told = {each.name: _value(row, each) for each in _fields(row, names)}
    return _shown(told, told)


def _whole(row: Model) -> dict[str, Any]:
    """Return the fields of a row and the names in its lists, secrets as they are."""
    lists = {
        each.name: sorted(map(_name, getattr(row, each.name).all()))
        for each in _options(row).many_to_many
    }
    return {each.name: _value(row, each) for each in _fields(row)} | lists


def _name(of: Model) -> str:
    return str(getattr(of, "codename", of))


def _value(row: Model, field: "Field[Any, Any]") -> Any:
    value = field.value_from_object(row)
    if isinstance(field, ForeignKey) and value is not None:
        return str(getattr(row, field.name))
    is_kept = isinstance(value, str | int | float | bool | list | dict | None)
    return value if is_kept and len(str(value)) <= _LONGEST else str(value)[:_LONGEST]


def _of(told: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: told[name] for name in names}


def _shown(told: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: _NOT_SHOWN if name in HIDDEN else told.get(name) for name in names}
