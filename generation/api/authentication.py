"""Who asks: known by a token, looked up once for each request, and while an answer lasts."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.module_loading import import_string
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from generation.runtime.event_feed import Right
from generation.selectors.prepared_queries import PreparedRows
from wording import say

_HOLDERS = PreparedRows(lambda key: User.objects.filter(auth_token__key=key))


class QuickTokenAuthentication(TokenAuthentication):
    """REST framework's, with a query that is put together once: most requests are polls."""

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        user = _HOLDERS.first(key)
        if user is None:
            raise AuthenticationFailed(say("Invalid token."))
        if not user.is_active:
            raise AuthenticationFailed(say("User inactive or deleted."))
        return user, Token(key=key, user=user)


@dataclass(frozen=True)
class _ByToken:
    key: str

    def holds(self) -> bool:
        return Token.objects.filter(key=self.key, user__is_active=True).exists()


@dataclass(frozen=True)
class _BySession:
    key: str | None

    def holds(self) -> bool:
        request = HttpRequest()
        request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(self.key)
        # Nobody where it has ended, the password was changed, or the user may not sign in.
        return get_user(request).is_authenticated


def right_of(request: Request) -> Right:
    """Return by what somebody was let in, to be looked up again while the answer lasts."""
    token: Any = request.auth
    return _ByToken(token.key) if token else _BySession(request.session.session_key)
