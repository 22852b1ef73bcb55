"""What was measured of a published picture, once, behind everybody's back."""

from django.db import models

from generation.models.version import Version


class Measure(models.Model):
    """The figures that the checks of a style are held against; each from 0 to 1.

    Empty is what could not be measured: no size was asked for, there is no panel, nothing else is
    alike.
    """

    version = models.OneToOneField(Version, models.CASCADE, related_name="measure")
    smaller_by = models.FloatField(null=True)
    ratio_off_by = models.FloatField(null=True)
    brightest = models.FloatField()
    darkest = models.FloatField()
    contrast = models.FloatField()
    panel_distance = models.FloatField(null=True)
    look = models.BigIntegerField(help_text="64 bits: few of them differ where pictures are alike.")
    version_distance = models.FloatField(null=True)
    like_version = models.ForeignKey(
        Version, models.SET_NULL, null=True, related_name="+", help_text="Of the same plan."
    )
    plan_distance = models.FloatField(null=True)
    like_plan = models.ForeignKey(
        Version, models.SET_NULL, null=True, related_name="+", help_text="Of another plan."
    )

    def __str__(self) -> str:
        return f"measure of version {self.version_id}"
