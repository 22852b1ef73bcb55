"""django-q2's own pages: for superusers, to look at, and for nobody else."""

from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest

from generation.admin.base import MadseaAdmin


class _QueueAdmin(MadseaAdmin):
    """What runs is decided by the database, not by these rows: changing them helps nobody."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _TaskAdmin(_QueueAdmin):
    list_display = ("name", "func", "cluster", "started", "stopped")
    list_filter = ("func",)
    search_fields = ("name", "func")
    ordering = ("-started",)


class _ScheduleAdmin(_QueueAdmin):
    list_display = ("name", "func", "schedule_type", "repeats", "next_run")


class _MessageAdmin(_QueueAdmin):
    list_display = ("id", "key", "name", "func", "lock")
    fields = ("key", "lock", "task_id", "name", "func", "args", "kwargs")


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


_ADMINS = {
    "Success": _TaskAdmin,
    "Failure": _TaskAdmin,
    "Schedule": _ScheduleAdmin,
    "OrmQ": _MessageAdmin,
}
# Its own pages are registered by then, whoever is loaded first.
import_module("django_q.admin")
for _name, _admin in _ADMINS.items():
    _model = apps.get_model("django_q", _name)
    # Without the ORM broker there is no page of messages.
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
        admin.site.register(_model, _admin)
