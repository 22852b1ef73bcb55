"""The storyboards as a Django app above the engine."""

from django.apps import AppConfig


class StoryboardsConfig(AppConfig):
    name = "storyboards"
    verbose_name = "Storyboards"
