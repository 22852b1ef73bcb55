"""`POST /api/token`: a user's token for a user name and a password."""

from typing import Any

from django.contrib.auth import authenticate
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.viewsets import ViewSet

from generation.api import documentation, requests
from generation.api.parsers import StrictJSONParser


class GuessThrottle(AnonRateThrottle):
    """So many tries a minute from one address, so that passwords cannot be guessed by trying."""

    rate = "30/min"


@documentation.TOKEN
class TokenViewSet(ViewSet):
    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes = [AllowAny]
    parser_classes = [StrictJSONParser]
    throttle_classes = [GuessThrottle]

    def get_authenticate_header(self, _request: Request) -> str:
        return "Token"

    def create(self, request: Request) -> Response:
        asked: dict[str, Any] = requests.checked(requests.Credentials, request)
        user = authenticate(**asked)
        if user is None:
            raise AuthenticationFailed("This user name and password do not belong together.")
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})
