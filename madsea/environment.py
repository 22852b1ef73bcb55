"""Readers for environment variables that are loud about a value they cannot use."""

import contextlib
import os
import re
import secrets
import ssl
import stat
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import dotenv
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


def read_file(file: Path) -> None:
    """Set the variables of a `.env` file that the environment does not have; none is no error."""
    dotenv.load_dotenv(file, override=False)


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
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value in TRUE_WORDS


def whole(name: str, default: int, *, low: int, high: int) -> int:
    """Return a whole number between `low` and `high`, both included.

    Raises:
        ImproperlyConfigured: it is no whole number, or out of bounds.
    """
    raw = text(name, str(default))
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} must be from {low} to {high}, not {value}.")
    return value


def words(name: str) -> list[str]:
    """Return the parts of a comma-separated list, blanks left out."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def addresses(name: str) -> list[str]:
    """Return http(s) addresses without their trailing slash.

    Raises:
        ImproperlyConfigured: a part is no http(s) address with a host, or stands twice.
    """
    found = [part.rstrip("/") for part in words(name)]
    for place, part in enumerate(found, 1):
        if not _is_address(part):
            # Its text is told but for what may be a secret.
            shown = part.rpartition("@")[2].partition("?")[0]
            raise ImproperlyConfigured(
                f"{name}: {shown!r}, in place {place}, is not an address such as"
                " http://10.0.0.5:8188."
            )
    if len({_without_secrets(part) for part in found}) != len(found):
        raise ImproperlyConfigured(f"{name} names an address twice.")
    return found


def origins(name: str, *, web_only: bool = False) -> list[str]:
    """Return origins as browsers name them: https://host, app://name, null.

    Raises:
        ImproperlyConfigured: a part is no origin, or none of a web page where only such count.
    """
    return list(dict.fromkeys(_origin(name, part, web_only=web_only) for part in words(name)))


def _origin(name: str, part: str, *, web_only: bool) -> str:
    found = _ORIGIN.fullmatch(part)
    if part == "null" and not web_only:
        return part
    if not found or not _is_port(found["port"]):
        raise ImproperlyConfigured(
            f"{name}: {part.rpartition('@')[2]!r} is not an origin such as https://frontend.studio:"
            " a scheme and a host (of ASCII), a port if it is not the usual one, and nothing else."
        )
    scheme, host, port = found["scheme"].lower(), found["host"].lower(), found["port"]
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
    found = text(name).strip("/")
    if found and not _PATH.fullmatch(found):
        raise ImproperlyConfigured(
            f"{name} must be a path such as /madsea, of letters, digits, - and _, not {found!r}."
        )
    return f"/{found}" if found else ""


def networks(name: str) -> list[str]:
    """Return IP addresses and networks, such as 10.0.0.5 or 10.1.0.0/16.

    Raises:
        ImproperlyConfigured: a part is neither.
    """
    found = words(name)
    for part in found:
        try:
            ip_network(part)
        except ValueError:
            text = f"{name}: {part!r} is neither an address such as 10.0.0.5 nor a network such as"
            raise ImproperlyConfigured(f"{text} 10.1.0.0/16.") from None
    return found


def _is_address(text: str) -> bool:
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
    name = next((each for each in names if text(each)), "")
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


def keep_private(file: Path, *, make: bool = False) -> None:
    """Leave a file to its owner, and to a group that was let in on purpose; make it if asked to.

    What others may read was made under a usual umask: 0644 becomes 0600, 0664 becomes 0660, while
    0640 is somebody's will. Where the file is not ours to change, nothing is.
    """
    with contextlib.suppress(OSError):
        if make and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        _shut_out_others(file)


def keep_private_folder(folder: Path) -> None:
    """Do the same to a folder, which is made."""
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _shut_out_others(folder)


def _shut_out_others(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & stat.S_IRWXO:
        path.chmod(mode & ~(stat.S_IRWXO if mode & stat.S_IWGRP else stat.S_IRWXO | stat.S_IRWXG))


def kept_secret(name: str, file: Path) -> str:
    """Return the variable, else the secret kept in `file`, made on first use (mode 0600)."""
    given = text(name)
    if given:
        return given
    if not file.exists():
        _keep_secret(file)
    return _read_secret(name, file)


def _keep_secret(file: Path) -> None:
    """Make the secret whole before it gets its name: two processes may start at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(secrets.token_urlsafe(50))
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()


def _read_secret(name: str, file: Path) -> str:
    value = file.read_text().strip()
    if not value:
        raise ImproperlyConfigured(f"{file} is empty: remove it, or set {name}.")
    return value
