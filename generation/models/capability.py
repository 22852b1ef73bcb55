"""What a graph needs of a server, and whether each server has it."""

from django.db import models

from generation.models.server import Server


class Needs(models.Model):
    """Node classes, model files and choices, known by their hash; many batches need the same.

    `classes` is a list of names, `files` a list of `[class, input, value]`: model files, and what
    else was chosen from a server's lists by a request, or refused by a server. `model_key` stands
    for the model files together, empty without any: what two batches of one key load is the same.
    """

    sha256 = models.CharField(max_length=64, unique=True)
    classes = models.JSONField()
    files = models.JSONField()
    model_key = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "needs"

    def __str__(self) -> str:
        return f"needs {self.sha256[:8]}"


class Capability(models.Model):
    """Whether a server has what is needed, by the definitions that it gave at `read_at`.

    `missing` is a list of sentences' parts `{"name", "where", "closest"}`; `spellings` a list of
    `[class, input, file, the server's own spelling]`, of files that it spells otherwise.
    """

    server = models.ForeignKey(Server, models.CASCADE, related_name="capabilities")
    needs = models.ForeignKey(Needs, models.CASCADE, related_name="capabilities")
    is_capable = models.BooleanField()
    missing = models.JSONField(default=list)
    spellings = models.JSONField(default=list)
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "capabilities"
        constraints = [
            models.UniqueConstraint(fields=["needs", "server"], name="capability_one_each"),
        ]

    def __str__(self) -> str:
        return f"{self.server_id} for {self.needs_id}"
