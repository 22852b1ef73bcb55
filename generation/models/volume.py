"""The volumes where files are published, and what is wrong with them just now."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from generation.models.sentence_fields import SentenceField


class Volume(models.Model):
    """A volume that Madsea has adopted: the projects root (`path` "") or a disk below it."""

    path = models.CharField(max_length=255, unique=True, blank=True)
    mark = models.CharField(max_length=64)
    adopted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["path"]

    def __str__(self) -> str:
        return self.path or "the projects folder"


class StorageTroubleQuerySet(models.QuerySet["StorageTrouble"]):
    """Troubles by whom they keep from working."""

    def of_project(self, code: Any) -> Self:
        """Return the troubles of a project's files; `code` may be an OuterRef."""
        return self.filter(Q(scope="") | Q(scope=code))


class StorageTrouble(models.Model):
    """Why no plan of a project is begun just now: its folder cannot be used."""

    scope = models.CharField(
        "project", max_length=64, unique=True, blank=True, help_text="Empty: all projects."
    )
    path = models.CharField(max_length=255, blank=True)
    is_reading = models.BooleanField(
        default=False, help_text="The path is a file to be read, else a folder to be written to."
    )
    n_bytes = models.PositiveBigIntegerField(default=1)
    detail = SentenceField()
    since = models.DateTimeField(auto_now_add=True)

    objects = StorageTroubleQuerySet.as_manager()

    class Meta:
        ordering = ["scope"]

    def __str__(self) -> str:
        return self.detail
