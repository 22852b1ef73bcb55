"""Readers for environment variables that are loud about a value they cannot use."""

import errno
import os
import re
import ssl
import tempfile
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}
_PATH = re.compile("[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}", re.ASCII)
_ORIGIN = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<host>[A-Za-z0-9._*-]*|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?/?",
    re.ASCII,
)
_USUAL_PORTS = {"http": 80, "https": 443}
#: No more of a value is shown.
SHOWN_MAX = 60

_DIGITS = re.compile(r"[0-9]{1,18}")
_BLANK = re.compile(r"\s")
_HOST = re.compile(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")


def text(name: str, default: str = "") -> str:
    """Return the variable without surrounding blanks, or the default when it is unset or blank."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    """Return a yes or no.

    Raises:
        ImproperlyConfigured: the value is neither.
    """
    if name not in os.environ:
        return default
    value = os.environ[name].strip().lower()
    if value not in TRUE_WORDS | FALSE_WORDS:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {_shown(value)}.")
    return value in TRUE_WORDS


def whole_number(name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number between `low` and `high`, both included; a default may be beyond.

    Raises:
        ImproperlyConfigured: it is no whole number, or out of bounds.
    """
    raw = text(name)
    if not raw:
        return default
    if not _DIGITS.fullmatch(raw) or not low <= int(raw) <= high:
        bounds = f"{name} must be a whole number from {low} to {high}"
        raise ImproperlyConfigured(f"{bounds}, not {_shown(raw)}.")
    return int(raw)


def process_ids(name: str) -> list[int]:
    """Return ids of processes.

    Raises:
        ImproperlyConfigured: one is none.
    """
    parts = comma_list(name)
    for part in parts:
        if not _DIGITS.fullmatch(part) or not 1 < int(part) < 2**31:
            raise ImproperlyConfigured(f"{name}: {_shown(part)} is no process's id.")
    return [int(part) for part in parts]


def upper_case_choice(name: str, default: str, *, among: Sequence[str]) -> str:
    """Return one of some words, in any case.

    Raises:
        ImproperlyConfigured: it is another.
    """
    raw = text(name, default)
    if raw.upper() not in among:
        listed = f"{', '.join(among[:-1])} or {among[-1]}"
        raise ImproperlyConfigured(f"{name} must be {listed}, not {_shown(raw)}.")
    return raw.upper()


def time_zone(name: str, default: str) -> str:
    """Return the name of a time zone.

    Raises:
        ImproperlyConfigured: there is no such zone; a city alone is told with its continent.
    """
    raw = text(name, default)
    known = available_timezones()
    if raw in known:
        return raw
    meant = sorted(word for word in known if word.lower().endswith(f"/{raw.lower()}"))
    example = meant[0] if meant else "Europe/Paris"
    raise ImproperlyConfigured(f"{name} must be a time zone such as {example}, not {_shown(raw)}.")


def folder(name: str, default: Path, *, make: bool = False) -> Path:
    """Return the path of a folder; `make`: make it, and make sure that it can be written.

    Raises:
        ImproperlyConfigured: it is no folder, or cannot be made or written.
    """
    path = Path(text(name, str(default)))
    try:
        path = path.expanduser().resolve()
        if make:
            path.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if make:
            _try_out(path)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        what = "cannot be written" if make else "cannot be used"
        raise ImproperlyConfigured(f"{name}: the folder {path} {what} ({reason}).") from None
    return path


def _try_out(path: Path) -> None:
    # Only doing it shows whether it can be done: by rights, or a disk that is full or read only.
    with tempfile.TemporaryFile(dir=path):
        pass


def hosts(name: str) -> list[str]:
    """Return names of hosts as Django takes them: `madsea.studio`, `.studio`, `[::1]`, `*`.

    Raises:
        ImproperlyConfigured: one is an address, has a port, or is none.
    """
    parts = comma_list(name)
    for part in parts:
        if not _HOST.fullmatch(part):
            text = f"{name}: {_shown(part)} is no host's name such as madsea.studio"
            raise ImproperlyConfigured(f"{text} (without http:// and port).")
    return parts


def _shown(raw: str) -> str:
    return repr(raw if len(raw) <= SHOWN_MAX else f"{raw[:SHOWN_MAX]}…")


def comma_list(name: str) -> list[str]:
    """Return the parts of a comma-separated list, blanks left out."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def addresses(name: str) -> list[str]:
    """Return http(s) addresses without their trailing slash.

    Raises:
        ImproperlyConfigured: a part is no http(s) address with a host, or stands twice.
    """
    urls = [part.rstrip("/") for part in comma_list(name)]
    for place, part in enumerate(urls, 1):
        if not _is_address(part):
            # Its text is told but for what may be a secret.
            shown = part.rpartition("@")[2].partition("?")[0]
            raise ImproperlyConfigured(
                f"{name}: {shown!r}, in place {place}, is not an address such as"
                " http://10.0.0.5:8188."
            )
    if len({_without_secrets(part) for part in urls}) != len(urls):
        raise ImproperlyConfigured(f"{name} names an address twice.")
    return urls


def origins(name: str, *, web_only: bool = False) -> list[str]:
    """Return origins as browsers name them: https://host, app://name, null.

    Raises:
        ImproperlyConfigured: a part is no origin, or none of a web page where only such count.
    """
    return list(dict.fromkeys(_origin(name, part, web_only=web_only) for part in comma_list(name)))


def _origin(name: str, part: str, *, web_only: bool) -> str:
    match = _ORIGIN.fullmatch(part)
    if part == "null" and not web_only:
        return part
    if not match or not _is_port(match["port"]):
        raise ImproperlyConfigured(
            f"{name}: {part.rpartition('@')[2]!r} is not an origin such as https://frontend.studio:"
            " a scheme and a host (of ASCII), a port if it is not the usual one, and nothing else."
        )
    scheme, host, port = match["scheme"].lower(), match["host"].lower(), match["port"]
    is_web = scheme in _USUAL_PORTS
    if (is_web and not host) or (web_only and not is_web) or ("*" in host and not web_only):
        raise ImproperlyConfigured(f"{name}: {part!r} is not the origin of a web page.")
    # Browsers leave the usual port out.
    told = f":{int(port)}" if port and int(port) != _USUAL_PORTS.get(scheme) else ""
    return f"{scheme}://{host}{told}"


def _is_port(text: str | None) -> bool:
    return text is None or 0 < int(text) < 2**16


def path(name: str) -> str:
    """Return the path of an address, with a slash before it and none behind, or nothing.

    Raises:
        ImproperlyConfigured: it is no plain path.
    """
    stripped = text(name).strip("/")
    if stripped and not _PATH.fullmatch(stripped):
        raise ImproperlyConfigured(
            f"{name} must be a path such as /madsea, of letters, digits, - and _, not {stripped!r}."
        )
    return f"/{stripped}" if stripped else ""


def networks(name: str) -> list[str]:
    """Return IP addresses and networks, such as 10.0.0.5 or 10.1.0.0/16.

    Raises:
        ImproperlyConfigured: a part is neither.
    """
    parts = comma_list(name)
    for part in parts:
        try:
            ip_network(part)
        except ValueError:
            text = f"{name}: {part!r} is neither an address such as 10.0.0.5 nor a network such as"
            raise ImproperlyConfigured(f"{text} 10.1.0.0/16.") from None
    return parts


def _is_address(text: str) -> bool:
    if _BLANK.search(text):
        return False  # It would be read without: two lines would become one address.
    try:
        split = urlsplit(text)
        has_port = split.port is None or split.port > 0
    except ValueError:
        return False
    is_web = split.scheme in {"http", "https"} and bool(split.hostname)
    return is_web and has_port and not split.fragment


def _without_secrets(text: str) -> tuple[str, str, str]:
    split = urlsplit(text)
    return split.scheme, split.netloc.rpartition("@")[2], split.path.rstrip("/")


def certificates(*names: str) -> str:
    """Return the file or folder of certificates that the first of these variables names, or "".

    Raises:
        ImproperlyConfigured: it is not there, or holds no certificate.
    """
    name = next((variable for variable in names if text(variable)), "")
    place = text(name) if name else ""
    if place and not Path(place).is_dir():
        try:
            ssl.create_default_context(cafile=place)
        except (OSError, ssl.SSLError) as error:
            raise ImproperlyConfigured(
                f"{name}: {place} cannot be read as certificates ({error.strerror or error})."
            ) from None
    return place


def with_options(url: str, **options: object) -> str:
    """Return an address with options in its query; those that stand there already go first."""
    address, _, query = url.partition("?")
    wanted = {name: str(value) for name, value in options.items()}
    return f"{address}?{urlencode(wanted | dict(parse_qsl(query)))}"


def console_language(otherwise: str) -> str:
    """Return in which language a terminal is spoken to: `fr` or `en`, as gettext finds it.

    LANGUAGE, LC_ALL, LC_MESSAGES or LANG, the first that is set, as of every other program there;
    where it names neither language (`C.UTF-8`), or none is set, it is `otherwise`.
    """
    names = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    said = next((os.environ[name] for name in names if os.environ.get(name)), "")
    codes = (re.split(r"[_.@-]", each.lower())[0] for each in said.split(":"))
    return next((code for code in codes if code in {"fr", "en"}), otherwise)
