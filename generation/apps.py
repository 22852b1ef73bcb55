"""The engine as a Django app."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

import wording
from generation.catalogues import Catalogues


class GenerationConfig(AppConfig):
    name = "generation"
    verbose_name = "Madsea"

    def ready(self) -> None:
        """Bring the catalogues and the system checks along, and what follows a migration."""
        wording.speak_by(Catalogues())
        import_module("generation.checks")
        import_module("generation.services.api_tokens").end_tokens_with_passwords()
        import_module("generation.services.roles").fill_after_migrations(self)
        post_migrate.connect(_schedule_tick, sender=self, dispatch_uid="madsea-tick")


def _schedule_tick(*, using: str, **_: Any) -> None:
    """Schedule the tick in a database that has django-q2's tables by now."""
    queueing = import_module("generation.queueing")
    if queueing.SCHEDULES in connections[using].introspection.table_names():
        queueing.schedule_tick()
