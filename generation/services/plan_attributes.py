"""What is known of a plan: its texts, place in the episode, style and status, with their history.

An action is taken apart into place, camera and description, unless these are given, or somebody
has written one of them otherwise than an action before it told.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from generation import board_action
from generation.comfyui.untrusted_json import is_storable
from generation.errors import Conflict, InvalidRequest, NotFound, Problem
from generation.models import Act, Plan, PlanTextChange, Style
from generation.models.production import LABEL_MAX, LINE_MAX, TEXT_MAX, UID_MAX
from generation.services import acts, episode_changes, permissions
from generation.states import PlanStatus
from generation.workflows.parameters import shown
from wording import say

#: The texts, and how many characters each may have.
TEXTS: Mapping[str, int] = {
    "label": LABEL_MAX,
    "storyboard_uid": UID_MAX,
    "dialogue": TEXT_MAX,
    "action": TEXT_MAX,
    "place": LINE_MAX,
    "camera": LINE_MAX,
    "description": TEXT_MAX,
    "notes": TEXT_MAX,
}
#: The numbers, from 0 up to these; None where one is not known.
NUMBERS: Mapping[str, int] = {"duration_ms": 86_400_000, "position": 1_000_000}
#: What an action is taken apart into.
PARTS: Mapping[str, int] = {name: TEXTS[name] for name in ("place", "camera", "description")}
FIELDS = (*TEXTS, *NUMBERS, "style", "production_status")
_STORED = (*TEXTS, *NUMBERS, "style_id", "production_status", "text_revision")


@dataclass(frozen=True)
class Author:
    """Who changes something, and from which door."""

    by: User | None
    source: str


def write(
    plan: Plan,
    texts: Mapping[str, Any],
    *,
    by: User | None,
    source: str,
    revision: int | None = None,
) -> bool:
    """Write what is known of a plan, as far as it is another; return whether anything was.

    `texts` are some of `FIELDS`; a style is named by its code, None takes it away. `source` says
    from which door they come, `revision` which one was read, None where that does not matter.

    Raises:
        Forbidden: who writes may not.
        InvalidRequest: one is unknown, too long, out of bounds, or of another kind.
        NotFound: there is no such plan.
        Conflict: somebody has changed the plan since `revision`.
    """
    permissions.require(by, *permissions.TO_WRITE)
    problems = check(texts)
    if problems:
        raise InvalidRequest(problems)
    with transaction.atomic():
        [locked] = _locked([plan.pk])
        if revision is not None and locked.text_revision != revision:
            detail = say("Somebody has changed this plan since you read it: read it again.")
            raise Conflict(detail, code="changed_meanwhile")
        return bool(write_all({plan.pk: texts}, by=by, source=source))


def write_all(
    texts: Mapping[int, Mapping[str, Any]], *, by: User | None, source: str
) -> frozenset[int]:
    """Write what is known of plans, by their ids, in one transaction; return which changed.

    What is to be written was checked by `check`.

    Raises:
        NotFound: there is no such plan.
    """
    with transaction.atomic():
        plans = _locked(texts)
        styles = {style.code: style for style in Style.objects.all()}
        author = Author(by, source)
        changes = [_change(plan, texts[plan.pk], styles, author) for plan in plans]
        done = [change for change in changes if change is not None]
        _store([change.plan for change in done])
        PlanTextChange.objects.bulk_create(done, batch_size=1000)
        Act.objects.bulk_create([_act(each, by) for each in done], batch_size=1000)
        changed = frozenset(change.plan_id for change in done)
        episode_changes.record_plans(changed)
    return changed


def _act(change: PlanTextChange, by: User | None) -> Act:
    return acts.unsaved_act("write", change.plan, by=by, before=change.before, after=change.after)


def _locked(ids: Collection[int]) -> list[Plan]:
    rows = Plan.objects.select_related("style").filter(pk__in=ids).order_by("pk")
    plans = list(rows.select_for_update(of=("self",), no_key=True))
    if len(plans) < len(ids):
        missing = min(set(ids) - {plan.pk for plan in plans})
        raise NotFound(say("There is no plan {missing}.", missing=missing), code="unknown_plan")
    return plans


def _store(plans: list[Plan]) -> None:
    """Write changed plans, which are locked: an UPDATE of many rows at once."""
    same = {"update_conflicts": True, "unique_fields": ["id"], "update_fields": _STORED}
    Plan.objects.bulk_create(plans, batch_size=500, **same)  # type: ignore[arg-type]


def _change(
    plan: Plan, texts: Mapping[str, Any], styles: Mapping[str, Style], author: Author
) -> PlanTextChange | None:
    """Change a locked plan, not stored yet; return what was changed, None where nothing is."""
    before = current(plan)
    wanted = _parts(before, texts) | dict(texts)
    after = {name: new for name, new in wanted.items() if new != before[name]}
    if not after:
        return None
    for name, new in after.items():
        setattr(plan, name, styles[new] if name == "style" and new else new)
    plan.text_revision += 1
    return PlanTextChange(
        plan=plan,
        revision=plan.text_revision,
        source=author.source,
        before={name: before[name] for name in after},
        after=after,
        changed_by=author.by,
    )


def current(plan: Plan) -> dict[str, Any]:
    """Return what is known of a plan now, by `FIELDS`; its style by its code."""
    style = plan.style.code if plan.style else None
    return {name: getattr(plan, name) for name in FIELDS} | {"style": style}


def _parts(before: Mapping[str, Any], texts: Mapping[str, Any]) -> dict[str, str]:
    """Return what a new action tells, but for what somebody has written otherwise."""
    if "action" not in texts:
        return {}
    told, telling = _split(before["action"]), _split(texts["action"])
    return {name: telling[name] for name in PARTS if before[name] in ("", told[name])}


def _split(action: str) -> dict[str, str]:
    parts = board_action.split(action)
    return {name: getattr(parts, name)[:most] for name, most in PARTS.items()}


# What may be written -----------------------------------------------------------------------------


def check(
    texts: Mapping[str, Any], place: str = "", *, styles: Collection[str] | None = None
) -> list[Problem]:
    """Return what is wrong with what is to be written of a plan, each at its place.

    `styles` are the codes that there are; None reads them.
    """
    found: list[Problem] = []
    for name, value in texts.items():
        if name not in FIELDS:
            detail = say("Unknown key. Known: {fields}.", fields=", ".join(FIELDS))
            found.append(Problem(f"{place}{name:.64}", "unknown_key", detail))
            continue
        wrong = _JUDGES.get(name, _wrong_text)(name, value)
        if name == "style" and wrong is None:
            wrong = _wrong_style(value, _codes() if styles is None else styles)
        if wrong is not None:
            found.append(Problem(f"{place}{name}", *wrong))
    return found


def _codes() -> list[str]:
    return list(Style.objects.values_list("code", flat=True))


#: A code, and words for it.
Wrong = tuple[str, str]


def _wrong_text(name: str, value: object) -> Wrong | None:
    most = TEXTS[name]
    if not isinstance(value, str):
        return "not_a_string", say("Expected a string.")
    if len(value) > most:
        return "too_long", say(
            "At most {most:,} characters; it has {n:,}.", most=most, n=len(value)
        )
    return (
        None if is_storable(value) else ("bad_text", say("It holds characters that are no text."))
    )


def _wrong_number(name: str, value: object) -> Wrong | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        return "not_a_number", say("Expected a whole number, or null.")
    most = NUMBERS[name]
    if 0 <= value <= most:
        return None
    return "out_of_bounds", say(
        "It must be between 0 and {most:,}, not {value}.", most=most, value=shown(value)
    )


def _wrong_status(_: str, value: object) -> Wrong | None:
    if isinstance(value, str) and value in list(PlanStatus):
        return None
    return "unknown_status", say(
        "Expected one of {known}; got {value}.",
        known=", ".join(PlanStatus),
        value=shown(value),
    )


def _wrong_code(_: str, value: object) -> Wrong | None:
    is_code = value is None or isinstance(value, str)
    return None if is_code else ("not_a_string", say("Expected a string, or null."))


def _wrong_style(value: str | None, codes: Iterable[str]) -> Wrong | None:
    known = list(codes)
    if value is None or value in known:
        return None
    return "unknown_style", say(
        "There is no style {value}. Known: {known}.", value=shown(value), known=", ".join(known)
    )


_JUDGES: Mapping[str, Callable[[str, object], Wrong | None]] = {
    **dict.fromkeys(NUMBERS, _wrong_number),
    "production_status": _wrong_status,
    "style": _wrong_code,
}
