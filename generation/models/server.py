"""ComfyUI servers, and who drives them."""

import re
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models

from generation.comfyui import address, tls
from generation.models.workflow import Workflow
from generation.states import ServerHealth

HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
VALUE = re.compile(r"[\x20-\x7e]*")
QUERY = re.compile(r"(?:[\x21-\x22\x24-\x7e]+=[\x21-\x22\x24-\x7e]*)?")
#: What nobody is shown again, once it was saved; the values of headers neither.
SECRETS = ("login", "query", "partner_key")


class Server(models.Model):
    """One ComfyUI server; its lease says which driver may write for it."""

    class Source(models.TextChoices):
        SETTINGS = "settings", "COMFYUI_SERVERS"
        ADMIN = "admin", "the admin"
        PREVIEW = "preview", "the preview server"

    HEALTH: ClassVar = [(state.value, state.value) for state in ServerHealth]

    name = models.CharField(max_length=64, unique=True)
    url = models.CharField("address", max_length=500, unique=True)
    login = models.CharField(
        max_length=500, blank=True, help_text="For basic auth: name:password. It is not shown."
    )
    query = models.CharField(
        max_length=2000,
        blank=True,
        help_text="Goes with every request, such as token=…. It is not shown.",
    )
    certificate = models.TextField(
        blank=True,
        help_text="For https with a certificate of the studio's own: that of its CA, or the"
        " server's, as PEM text; or the SHA-256 fingerprint of the server's, then no other is"
        " believed.",
    )
    partner_key = models.CharField(
        "key for partner nodes",
        max_length=500,
        blank=True,
        help_text="The Comfy.org API key that paid partner nodes are billed by. It goes with every"
        " prompt to this server, and is not shown.",
    )
    headers = models.JSONField(
        "extra headers",
        default=dict,
        blank=True,
        help_text='For a server behind a login: {"Authorization": "Bearer …"}',
    )
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.ADMIN)
    is_enabled = models.BooleanField("enabled", default=True)
    is_draining = models.BooleanField(
        "draining", default=False, help_text="It finishes what it has and takes nothing more."
    )

    health = models.CharField(max_length=8, choices=HEALTH, default=ServerHealth.UNKNOWN)
    health_detail = models.TextField(blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    down_since = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=32, blank=True)
    has_jobs_api = models.BooleanField(default=False)
    needs_reading = models.BooleanField(
        default=True, help_text="Its node classes and models may have changed since they were read."
    )
    set_aside_at = models.DateTimeField(null=True, blank=True)
    set_aside_code = models.CharField(max_length=48, blank=True)
    set_aside_detail = models.TextField(blank=True)
    set_aside_prompt = models.CharField(
        max_length=128,
        blank=True,
        help_text="A prompt that it will have forgotten once it restarted.",
    )
    same_as = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="It stands aside for this one: both addresses lead to the same ComfyUI.",
    )
    last_model_key = models.CharField(max_length=64, blank=True)

    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=128, blank=True)
    drive_requested_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lease_token=None, lease_expires_at=None)
                | models.Q(lease_token__isnull=False, lease_expires_at__isnull=False),
                name="server_lease_is_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(health__in=[state.value for state in ServerHealth]),
                name="server_health_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what no request could be made with; keep the address apart from its secrets."""
        wrong = {
            "url": address.problem(self._whole_url()),
            "headers": _wrong_headers(self.headers),
            "login": "" if ":" in self.login or not self.login else "Expected name:password.",
            "query": "" if QUERY.fullmatch(self.query) else "Expected such as token=abc.",
            "certificate": tls.problem(self.certificate),
            "partner_key": "" if VALUE.fullmatch(self.partner_key) else "Expected plain letters.",
        }
        if found := {name: why for name, why in wrong.items() if why}:
            raise ValidationError(found)
        self._split_address()

    def _whole_url(self) -> str:
        """The address as it was typed; ComfyUI itself speaks plain HTTP."""
        return self.url if "://" in self.url else f"http://{self.url}"

    def _split_address(self) -> None:
        parts = address.parse(self._whole_url())
        self.url = parts.url
        self.login = parts.login or self.login
        self.query = parts.query or self.query


def _wrong_headers(headers: object) -> str:
    if isinstance(headers, dict) and all(
        HEADER.fullmatch(name) and isinstance(value, str) and VALUE.fullmatch(value)
        for name, value in headers.items()
    ):
        return ""
    example = '{"Authorization": "Bearer …"}'
    return f"Expected names with one line of text: {example}."


class Block(models.Model):
    """A server that takes none of one workflow: it failed three in a row, others rendered them."""

    server = models.ForeignKey(Server, models.CASCADE, related_name="blocks")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="blocks")
    detail = models.TextField()
    prompt_id = models.CharField(
        max_length=128,
        blank=True,
        help_text="A prompt that it will have forgotten once it restarted.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["server", "workflow"], name="block_one_each"),
        ]

    def __str__(self) -> str:
        return f"{self.server} for {self.workflow}"


class ServerDefinitions(models.Model):
    """The node definitions that a server answered last (`/object_info`), apart, as it is big."""

    server = models.OneToOneField(Server, models.CASCADE, related_name="definitions")
    definitions = models.JSONField()
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of what is installed: without the lists of uploads."
    )
    n_bytes = models.PositiveIntegerField(default=0)
    read_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"definitions of {self.server_id}"
