"""Short-lived signed addresses of files: what an `<img>` uses, as it sends no token.

`/files/<signed>/<filename>`: `signed` names the version and the width, the filename is for people.
"""

import time
from urllib.parse import quote

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner, b62_encode

from generation.errors import NotFound
from wording import say

PREFIX = "/files/"
FILES = "madsea.files"
WIDTH_MAX_PX = 4096
#: How wide the small picture is that stands beside each file.
THUMBNAIL_PX = 320


class _WindowSigner(TimestampSigner):
    """Signs with the start of the current window, so that an address stays the same for a while.

    A page that refreshes itself would otherwise fetch each of its images again every time.
    """

    def timestamp(self) -> str:
        return b62_encode(window() * _window_s())


def _window_s() -> int:
    return max(1, settings.MADSEA_FILE_LINK_S // 2)


def window() -> int:
    """Return the number of the current window; addresses signed in the same one are the same."""
    return int(time.time()) // _window_s()


def signed(value: str, salt: str = FILES) -> str:
    """Return a value that `verified` takes for a while; `salt` is what it is for."""
    return _WindowSigner(salt=salt).sign(value)


def verified(text: str, salt: str = FILES) -> str:
    """Return the value that was signed for this.

    Raises:
        NotFound: it was not signed here, or is too old.
    """
    try:
        return _WindowSigner(salt=salt).unsign(text, max_age=settings.MADSEA_FILE_LINK_S)
    except BadSignature:
        raise NotFound(say("This address is wrong or too old: reload the page.")) from None


def address(path: str) -> str:
    """Return the address of a path of Madsea, relative to its host."""
    return f"{settings.MADSEA_PATH}{path}"


def signed_url(version_id: int, filename: str, *, width_px: int | None = None) -> str:
    """Return the relative address of a version's file, or of its thumbnail of that width.

    It is good for at least half of MADSEA_FILE_LINK_S, at most all of it.
    """
    return address(f"{PREFIX}{signed(f'{version_id}.{width_px or 0}')}/{quote(filename)}")


def thumbnail_url(version_id: int, filename: str) -> str:
    """Return the relative address of a version's small picture: see `signed_url`."""
    return signed_url(version_id, filename, width_px=THUMBNAIL_PX)


def verify(text: str) -> tuple[int, int | None]:
    """Return the version's id and the width in pixels (None: the file itself) of an address.

    Raises:
        NotFound: the address was not made here, or is too old.
    """
    version_id, _, width_px = verified(text).partition(".")
    return int(version_id), int(width_px) or None
