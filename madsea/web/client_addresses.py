"""Where a client is: the one answer that throttles, logs and turns go by.

The address is that of who connects; only where a proxy of MADSEA_TRUSTED_PROXIES connects it is the
one that this proxy forwards (`madsea.asgi` sees to it, for every server that runs it). Nobody else
is believed.
"""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.http import HttpRequest

#: A provider gives each customer a network of this size: all of its addresses are one client.
_IPV6_PREFIX = 64


def address(request: HttpRequest) -> str:
    """Return the address of who asks; nothing where it is unknown, as behind a Unix socket."""
    return str(request.META.get("REMOTE_ADDR") or "")


def network(request: HttpRequest) -> str:
    """Return the network by which a client is counted."""
    return _network(address(request))


def network_of(scope: dict[str, Any]) -> str:
    """Return the same of a request that is not read yet."""
    return _network(str((scope.get("client") or ("",))[0]))


def _network(text: str) -> str:
    try:
        ip = ip_address(text)
    except ValueError:
        return text
    if not isinstance(ip, IPv6Address):
        return text
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ip_network((int(ip), _IPV6_PREFIX), strict=False))
