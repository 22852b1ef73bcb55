"""The production tree: project, episode, sequence, plan."""

from django.db import models
from django.db.models.functions import Lower


class Project(models.Model):
    """A production, known by the identifier that the frontend uses."""

    code = models.CharField("project_id", max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            # Two projects that differ in case alone would share a folder on many file systems.
            models.UniqueConstraint(Lower("code"), name="project_code_unique_without_case"),
        ]

    def __str__(self) -> str:
        return self.code


class Episode(models.Model):
    """An episode of a season, such as E202 of S02."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="episodes")
    season = models.CharField(max_length=8)
    code = models.CharField("episode", max_length=12)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["project_id", "code"]
        constraints = [
            models.UniqueConstraint(fields=["project", "code"], name="episode_unique_in_project"),
        ]

    def __str__(self) -> str:
        return self.code


class Sequence(models.Model):
    """A sequence of an episode, such as SQ0010."""

    episode = models.ForeignKey(Episode, models.PROTECT, related_name="sequences")
    code = models.CharField("sequence_id", max_length=6)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["episode_id", "code"]
        constraints = [
            models.UniqueConstraint(fields=["episode", "code"], name="sequence_unique_in_episode"),
        ]

    def __str__(self) -> str:
        return self.code


class Plan(models.Model):
    """A storyboard plan of a sequence, such as 0010."""

    sequence = models.ForeignKey(Sequence, models.PROTECT, related_name="plans")
    code = models.CharField("plan", max_length=4)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["sequence_id", "code"]
        constraints = [
            models.UniqueConstraint(fields=["sequence", "code"], name="plan_unique_in_sequence"),
        ]

    def __str__(self) -> str:
        return self.code
