"""ComfyUI servers, and who drives them."""

import re
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import BooleanField, Case, Q, Value, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from generation.comfyui import address, tls
from generation.failures import STANDING_ASIDE
from generation.models.frozen_workflow import Workflow
from generation.models.sentence_fields import SentenceField
from generation.states import ServerHealth
from wording import say

HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
VALUE = re.compile(r"[\x20-\x7e]*")
QUERY = re.compile(r"(?:[\x21-\x22\x24-\x7e]+=[\x21-\x22\x24-\x7e]*)?")
#: What nobody is shown again, once it was saved; the values of headers neither.
SECRETS = ("login", "query", "partner_key")
#: How long a silent server may still be only slow: it may be loading a model, or swapping.
STALL_S = 60


def lease_ends_ahead() -> Q:
    """Return the condition of a lease that ends later than any lease can.

    It was written before the database's clock was set back; a driver that lives mends it with its
    next beat.
    """
    return Q(lease_expires_at__gt=Now() + timedelta(seconds=2 * settings.MADSEA_LEASE_S))


def _undriven() -> Q:
    return Q(lease_token=None) | Q(lease_expires_at__lt=Now()) | lease_ends_ahead()


class ServerQuerySet(models.QuerySet["Server"]):
    """Servers by what they may be given, and by whether somebody drives them."""

    def enabled(self) -> Self:
        """Return those that take part."""
        return self.filter(is_enabled=True)

    def staying(self) -> Self:
        """Return those that take part and are not on their way out."""
        return self.enabled().filter(is_draining=False)

    def taking_work(self) -> Self:
        """Return those that take work when they answer."""
        return self.staying().not_set_aside()

    def answering(self) -> Self:
        """Return those that take work and are not known to be down."""
        return self.taking_work().exclude(health=ServerHealth.DOWN)

    def soon_answering(self) -> Self:
        """Return those that take work and are not known to be down for longer than a stall."""
        is_stalled = Q(down_since__gt=Now() - timedelta(seconds=STALL_S))
        return self.taking_work().filter(~Q(health=ServerHealth.DOWN) | is_stalled)

    def set_aside(self) -> Self:
        """Return those that were taken out of service until they have restarted."""
        return self.exclude(set_aside_at=None)

    def not_set_aside(self) -> Self:
        """Return those that were not taken out of service."""
        return self.filter(set_aside_at=None)

    def standing_aside(self) -> Self:
        """Return the set aside that finish what they have: their addresses are in question."""
        return self.filter(set_aside_code__in=STANDING_ASIDE)

    def out_of_order(self) -> Self:
        """Return the set aside on which nothing can succeed until they have restarted."""
        return self.set_aside().exclude(set_aside_code__in=STANDING_ASIDE)

    def finishing(self) -> Self:
        """Return those that may finish what they have."""
        return self.exclude(pk__in=Server.objects.out_of_order())

    def undriven(self) -> Self:
        """Return those that nobody drives: without a lease, or with one that is over."""
        return self.filter(_undriven())

    def driven(self) -> Self:
        """Return those that somebody drives, by the database's clock."""
        return self.filter(~_undriven())

    def leased(self, server_id: int, token: Any) -> Self:
        """Return the server, if this is its lease's token."""
        return self.filter(pk=server_id, lease_token=token)

    def with_driver(self) -> Self:
        """Return these servers, each with `is_driven`."""
        driven = When(_undriven(), then=Value(False))
        return self.annotate(
            is_driven=Case(driven, default=Value(True), output_field=BooleanField())
        )


class Server(models.Model):
    """One ComfyUI server; its lease says which driver may write for it."""

    class Source(models.TextChoices):
        SETTINGS = "settings", "COMFYUI_SERVERS"
        ADMIN = "admin", _("the admin")
        PREVIEW = "preview", _("the preview server")

    HEALTH: ClassVar = [(state.value, state.value) for state in ServerHealth]

    name = models.CharField(_("name"), max_length=64, unique=True)
    url = models.CharField(_("address"), max_length=500, unique=True)
    login = models.CharField(
        _("login"),
        max_length=500,
        blank=True,
        help_text=_("For basic auth: name:password. It is not shown."),
    )
    query = models.CharField(
        _("query"),
        max_length=2000,
        blank=True,
        help_text=_("Goes with every request, such as token=…. It is not shown."),
    )
    certificate = models.TextField(
        _("certificate"),
        blank=True,
        help_text=_(
            "For https with a certificate of the studio's own: that of its CA, or the"
            " server's, as PEM text; or the SHA-256 fingerprint of the server's, then no other is"
            " believed."
        ),
    )
    partner_key = models.CharField(
        _("key for partner nodes"),
        max_length=500,
        blank=True,
        help_text=_(
            "The Comfy.org API key that paid partner nodes are billed by. It goes with every"
            " prompt to this server, and is not shown."
        ),
    )
    headers = models.JSONField(
        _("extra headers"),
        default=dict,
        blank=True,
        help_text=_('For a server behind a login: {"Authorization": "Bearer …"}'),
    )
    source = models.CharField(
        _("named by"), max_length=16, choices=Source.choices, default=Source.ADMIN
    )
    is_enabled = models.BooleanField(_("enabled"), default=True)
    is_draining = models.BooleanField(
        _("draining"), default=False, help_text=_("It finishes what it has and takes nothing more.")
    )

    health = models.CharField(
        _("health"), max_length=8, choices=HEALTH, default=ServerHealth.UNKNOWN
    )
    health_detail = SentenceField(blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    down_since = models.DateTimeField(null=True, blank=True)
    version = models.CharField(_("version"), max_length=32, blank=True)
    has_jobs_api = models.BooleanField(default=False)
    needs_reading = models.BooleanField(
        default=True, help_text="Its node classes and models may have changed since they were read."
    )
    set_aside_at = models.DateTimeField(null=True, blank=True)
    set_aside_code = models.CharField(max_length=48, blank=True)
    set_aside_detail = SentenceField(blank=True)
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

    objects = ServerQuerySet.as_manager()

    class Meta:
        verbose_name = _("server")
        verbose_name_plural = _("servers")
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

    @property
    def takes_work(self) -> bool:
        """Whether it takes work when it answers: the rule of `ServerQuerySet.taking_work`."""
        return self.is_enabled and not self.is_draining and self.set_aside_at is None

    def clean(self) -> None:
        """Refuse what no request could be made with; keep the address apart from its secrets."""
        wrong = {
            "url": address.problem(self._whole_url()),
            "headers": _wrong_headers(self.headers),
            "login": "" if ":" in self.login or not self.login else _("Expected name:password."),
            "query": "" if QUERY.fullmatch(self.query) else _("Expected such as token=abc."),
            "certificate": tls.problem(self.certificate),
            "partner_key": ""
            if VALUE.fullmatch(self.partner_key)
            else _("Expected plain letters."),
        }
        if problems := {name: why for name, why in wrong.items() if why}:
            raise ValidationError(problems)
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
    return say("Expected names with one line of text: {example}.", example=example)


class Block(models.Model):
    """A server that takes none of one workflow: it failed three in a row, others rendered them."""

    server = models.ForeignKey(Server, models.CASCADE, related_name="blocks")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="blocks")
    detail = SentenceField()
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


class ServerDefinitionsQuerySet(models.QuerySet["ServerDefinitions"]):
    """Node definitions by their servers."""

    def of_enabled(self) -> Self:
        """Return those of the servers that take part."""
        return self.filter(server__in=Server.objects.enabled())


class ServerDefinitions(models.Model):
    """The node definitions that a server answered last (`/object_info`), apart, as it is big."""

    server = models.OneToOneField(Server, models.CASCADE, related_name="definitions")
    definitions = models.JSONField()
    sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of what is installed: without the lists of uploads."
    )
    n_bytes = models.PositiveIntegerField(default=0)
    folders = models.JSONField(
        default=dict, help_text="Names of the files in its folders, as far as it tells them."
    )
    read_at = models.DateTimeField(auto_now=True)

    objects = ServerDefinitionsQuerySet.as_manager()

    def __str__(self) -> str:
        return f"definitions of {self.server_id}"
