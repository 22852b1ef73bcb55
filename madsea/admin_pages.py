"""Django's admin as an app whose pages are loaded with the addresses, or when they are checked.

A command or a worker that answers nobody starts without them, in two thirds of the time.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class AdminPagesConfig(SimpleAdminConfig):
    """`django.contrib.admin`, whose pages are loaded by `madsea.urls`."""

    def ready(self) -> None:
        """Register its checks, as Django's own does."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_pages, checks.Tags.admin)


def _check_pages(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> Sequence[checks.CheckMessage]:
    admin.autodiscover()
    return check_admin_app(app_configs, **kwargs)
