"""Who asks: known by a token, looked up once for each request."""

from django.contrib.auth.models import User
from rest_framework.authentication import TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed

from generation.selectors.prepared_queries import Found

_HOLDERS = Found(lambda key: User.objects.filter(auth_token__key=key))


class QuickTokenAuthentication(TokenAuthentication):
    """REST framework's, with a query that is put together once: most requests are polls."""

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        user = _HOLDERS.first(key)
        if user is None:
            raise AuthenticationFailed("Invalid token.")
        if not user.is_active:
            raise AuthenticationFailed("User inactive or deleted.")
        return user, Token(key=key, user=user)
