"""The storyboards as a Django app above the engine."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StoryboardsConfig(AppConfig):
    name = "storyboards"
    verbose_name = _("Storyboards")

    def ready(self) -> None:
        """Add to the engine: a hidden folder, a step of the tick, and who may do what."""
        import_module("generation.storage").APP_FOLDERS.add(
            import_module("storyboards.models.storyboard_import").FOLDER
        )
        roles = import_module("generation.services.roles")
        roles.APPS.add(self.name)
        roles.fill_after_migrations(self)
        for model in ("storyboardimport", "convention"):
            roles.GRANTS.add((roles.SUPERVISOR, f"storyboards.change_{model}"))
        import_module("generation.services.demo_user").DEMO_APPS.add(self.name)
        import_module("generation.services.tick").STEPS.add(
            import_module("storyboards.services.reading_queue").step
        )
