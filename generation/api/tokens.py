"""`POST /api/token`: a user's token for a user name and a password.

Guessing is slowed down where the password is checked, for this door as for the admin's.
"""

from typing import Any

from django.contrib.auth import authenticate
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from generation.api import request_serializers, schema_descriptions
from generation.api.parsers import StrictJSONParser
from generation.services import api_tokens
from wording import say


@schema_descriptions.TOKEN
class TokenViewSet(ViewSet):
    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes = [AllowAny]
    parser_classes = [StrictJSONParser]
    max_body_bytes = 8 * 2**10

    def get_authenticate_header(self, _request: Request) -> str:
        return "Token"

    def create(self, request: Request) -> Response:
        asked: dict[str, Any] = request_serializers.checked(
            request_serializers.Credentials, request
        )
        user = authenticate(request, **asked)
        key = api_tokens.token_of(user) if user else None
        if key is None:
            raise AuthenticationFailed(say("The user name or the password is wrong."))
        return Response({"token": key})
