"""The roles of a studio as Django's groups, each with its permissions; `migrate` brings them there.

=====================  =====================================================================
role                   may
=====================  =====================================================================
artist                 look at everything; give panels and images; comment
supervisor             and all of production: ask, steer, write, storyboards, decide
technical director     look at everything; servers, styles and workflows
=====================  =====================================================================

A guest has no account: what a guest may is in the link. A studio may make groups of its own; these
three are filled up at each `migrate`, and nothing is taken from them.
"""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.db.models import Q
from django.db.models.signals import post_migrate

from generation.extension_points import Registry
from generation.services import permissions

ARTIST, SUPERVISOR, DIRECTOR = "artist", "supervisor", "technical director"
#: A role, and a permission of it: apps above the engine add theirs.
GRANTS: Registry[tuple[str, str]] = Registry(
    [
        (ARTIST, permissions.UPLOAD),
        (SUPERVISOR, permissions.UPLOAD),
        (SUPERVISOR, permissions.ASK),
        (SUPERVISOR, permissions.WRITE),
        *(
            (SUPERVISOR, f"generation.change_{model}")
            for model in (
                "project",
                "episode",
                "sequence",
                "plan",
                "batch",
                "planrun",
                "version",
            )
        ),
        (DIRECTOR, permissions.GIVE_WORKFLOW),
        *(
            (DIRECTOR, f"generation.{verb}_{model}")
            for model in ("server", "style")
            for verb in ("add", "change", "delete")
        ),
        (DIRECTOR, "generation.delete_namedworkflow"),
    ]
)
#: Whose rows each role may look at.
APPS: Registry[str] = Registry(["generation"])


def fill_after_migrations(app: AppConfig) -> None:
    """See to it that the groups are filled whenever an app with permissions was migrated."""
    post_migrate.connect(_migrated, sender=app, dispatch_uid=f"madsea-roles-{app.label}")


def _migrated(*, using: str, **_: Any) -> None:
    if Group._meta.db_table in connections[using].introspection.table_names():  # noqa: SLF001
        fill()


def fill() -> None:
    """Make the roles' groups, and give them what they lack; the second time nothing."""
    looks = Q(content_type__app_label__in=APPS, codename__startswith="view_")
    for role in (ARTIST, SUPERVISOR, DIRECTOR):
        group, _made = Group.objects.get_or_create(name=role)
        may = looks
        for name in (name for of, name in GRANTS if of == role):
            app, _dot, codename = name.partition(".")
            may |= Q(content_type__app_label=app, codename=codename)
        group.permissions.add(*Permission.objects.filter(may))
