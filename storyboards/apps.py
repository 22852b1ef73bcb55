"""The storyboards as a Django app above the engine."""

from importlib import import_module

from django.apps import AppConfig


class StoryboardsConfig(AppConfig):
    name = "storyboards"
    verbose_name = "Storyboards"

    def ready(self) -> None:
        """Add to the engine: a hidden folder, a step of the tick, what the demo user may do."""
        import_module("generation.storage").APP_FOLDERS.add(
            import_module("storyboards.models.storyboard_import").FOLDER
        )
        import_module("generation.services.accounts").DEMO_APPS.add(self.name)
        import_module("generation.services.tick").STEPS.add(
            import_module("storyboards.services.reading_queue").step
        )
