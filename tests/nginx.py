"""A real nginx before real web processes, with the configuration that the documentation has."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import requests
import trustme

from generation.runtime.processes import ROOT
from tests.ports import own_port
from tests.processes import STARTS_WITHIN_S, Site, wait_for

EXAMPLE = ROOT / "docs" / "nginx.conf"
PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
#: Found on every machine; the processes behind nginx are asked by another name.
HOST = "localhost"
#: What the example says that Madsea's environment must have beside it.
ENVIRONMENT = {
    "DEBUG": "0",
    "MADSEA_PATH": "/madsea",
    "MADSEA_TRUSTED_PROXIES": "127.0.0.1",
    "MADSEA_HTTPS": "1",
    "ALLOWED_HOSTS": HOST,
}
_AROUND = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/madsea.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx; `authority` is the name and port that its clients use."""

    folder: Path
    port: int

    @property
    def authority(self) -> str:
        """What clients call it: a studio's nginx has the usual port, ours cannot."""
        return f"{HOST}:{self.port}"

    @property
    def access_log(self) -> str:
        """What it has logged."""
        return (self.folder / "access.log").read_text()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    return [own_port() for _ in range(count)]


@contextmanager
def started(folder: Path, configuration: str, port: int) -> Iterator[Nginx]:
    """Run nginx with this inside of its `http` block; it listens on `port` of loopback."""
    folder.mkdir()
    (folder / "madsea.conf").write_text(configuration)
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder))
    command = [str(PROGRAM), "-e", f"{folder}/error.log", "-p", f"{folder}/"]
    process = subprocess.Popen([*command, "-c", f"{folder}/nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _listens(port), STARTS_WITHIN_S, "nginx")
        yield Nginx(folder, port)
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with suppress(requests.RequestException):
        requests.get(f"http://127.0.0.1:{port}/", timeout=5, allow_redirects=False)
        return True
    return False


def example(folder: Path, port: int, webs: list[int]) -> str:
    """Return the documentation's configuration with ports, certificate and key of this machine."""
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return replaced(
        EXAMPLE.read_text(),
        {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/ssl/studio.example.pem": str(folder / "both.pem"),
            "/etc/ssl/private/studio.example.key": str(folder / "both.pem"),
            "studio.example": HOST,
            "127.0.0.1:8000": f"127.0.0.1:{webs[0]}",
            "127.0.0.1:8001;": f"127.0.0.1:{webs[-1]};",
        },
    )


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """Return the text with each of these changed; each must be there."""
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def web(site: Site, port: int) -> None:
    """Start a web process of a site on this port."""
    site.run("web", ["manage.py", "web", "--port", str(port)])
    wait_for(lambda: _listens(port), STARTS_WITHIN_S, "the web process")


class Client(requests.Session):
    """A client that believes the certificate."""

    def __init__(self, nginx: Nginx, path: str = "/madsea") -> None:
        super().__init__()
        self.base = f"https://{nginx.authority}{path}"
        self.verify = str(nginx.folder.parent / "ca.pem")
        self.trust_env = False

    def ask(self, method: str, address: str, **options: object) -> requests.Response:
        """Send a request to a path below the base, or to an address of it; follow nothing."""
        url = address if address.startswith("http") else f"{self.base}{address}"
        return self.request(method, url, timeout=60, allow_redirects=False, **options)  # type: ignore[arg-type]
