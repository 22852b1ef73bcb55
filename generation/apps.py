"""The engine as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class GenerationConfig(AppConfig):
    name = "generation"
    verbose_name = "Madsea"

    def ready(self) -> None:
        """Register the system checks, which need the models."""
        import_module("generation.checks")
