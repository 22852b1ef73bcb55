"""The review as a Django app above the engine."""

from importlib import import_module

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"
    verbose_name = "Review"

    def ready(self) -> None:
        """Add to the engine: what the demo user may do."""
        import_module("generation.services.accounts").DEMO_APPS.add(self.name)
