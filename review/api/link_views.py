"""Links for guests over HTTP: made, read and revoked. The address of a new one is told once."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from generation.api import filters, request_serializers, responses
from generation.api.filters import Filter, Filters
from generation.api.parsers import StrictJSONParser
from generation.api.permission_classes import Takes
from review.api import link_descriptions, review_serializers
from review.models import ReviewLink
from review.selectors import links as found_links
from review.services import links
from wording import say


def _in_state(state: str) -> Q:
    """Return which links are in a state at the moment of asking."""
    standing = Q(pk__in=ReviewLink.objects.valid(timezone.now()).values("pk"))
    conditions = {
        "open": standing,
        "revoked": Q(revoked_at__isnull=False),
        "expired": Q(revoked_at=None) & ~standing,
    }
    if state not in conditions:
        raise filters.UnusableValue(say("Expected one of {known}.", known=", ".join(conditions)))
    return conditions[state]


@link_descriptions.LINKS
class ReviewLinkViewSet(GenericViewSet[ReviewLink]):
    """`/api/review-links` and what is below it."""

    parser_classes = [StrictJSONParser]
    takes: ClassVar[Takes] = {
        "list": [links.TO_SEE],
        "retrieve": [links.TO_SEE],
        "create": [links.TO_SHARE],
        "revoke": [links.TO_REVOKE],
    }
    max_body_bytes = 64 * 2**10
    filter_backends = [Filters]
    filters: ClassVar[dict[str, Filter]] = {
        "episode_id": filters.number("episode"),
        "state": Filter(_in_state, {"type": "string", "enum": ["open", "expired", "revoked"]}),
    }

    def get_queryset(self) -> QuerySet[ReviewLink]:
        return found_links.listed()

    def list(self, _request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([found_links.document(each) for each in page or []])

    def retrieve(self, _request: Request, pk: int) -> Response:
        return Response(found_links.document(found_links.link_of_id(pk)))

    def create(self, request: Request) -> Response:
        sent = request_serializers.checked(review_serializers.NewReviewLink, request)
        made = links.create(review_serializers.new_link(sent), by=responses.actor(request))
        told: dict[str, Any] = {**found_links.document(made.link)}
        told["url"] = f"{responses.origin(request)}{reverse('guest-enter', args=[made.token])}"
        place = reverse("review-links-one", args=[made.link.pk])
        headers = {
            "Location": f"{responses.origin(request)}{place}",
            # It holds a secret.
            "Cache-Control": "no-store",
        }
        return Response(told, HTTPStatus.CREATED, headers=headers)

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: int) -> Response:
        return Response(found_links.document(links.revoke(pk, by=responses.actor(request))))
