"""The review as a Django app above the engine."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewConfig(AppConfig):
    name = "review"
    verbose_name = _("Review")

    def ready(self) -> None:
        """Add to the engine: what the demo user and each role may do."""
        import_module("generation.services.demo_user").DEMO_APPS.add(self.name)
        roles = import_module("generation.services.roles")
        roles.APPS.add(self.name)
        roles.fill_after_migrations(self)
        for role, permission in (
            (roles.ARTIST, "review.comment"),
            (roles.SUPERVISOR, "review.comment"),
            (roles.SUPERVISOR, "review.decide"),
            (roles.SUPERVISOR, "review.share"),
        ):
            roles.GRANTS.add((role, permission))
