"""Calls to addresses that users give (webhooks): never into our own network.

The name is resolved once, every address it has must be public, and the call goes to the address that was checked: a name
cannot point elsewhere between the check and the call (DNS rebinding). Redirects are checked the same way.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from carillon.domain.errors import CarillonError, InvalidInput

PORTS = frozenset({80, 443, *range(1024, 65536)})  # no mail, no ssh


class Forbidden(CarillonError):
    code = "address_not_allowed"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect (`address`, `port`), and what to say there (`host` for Host and TLS)."""

    scheme: str
    host: str
    address: str
    port: int
    path: str

    @property
    def url(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{address}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        default = 443 if self.scheme == "https" else 80
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == default else f"{host}:{self.port}"


def check_url(url: str) -> None:
    """What can be said without asking the DNS. Raises InvalidInput."""
    _split(url)
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if not _is_allowed(address):
        raise InvalidInput("This address is inside a private network", field="url", code="address_not_allowed")


def _split(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise InvalidInput("This is not a web address", field="url") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() or ord(c) < 32 for c in url):
        raise InvalidInput("Give a web address: https://…", field="url")
    if parts.username or parts.password:
        raise InvalidInput("Do not put a password into the address", field="url")
    if parts.scheme == "http" and not settings.DEBUG and not settings.WEBHOOK_PRIVATE:
        raise InvalidInput("Webhooks are called by https only", field="url", code="https_required")
    if port not in PORTS:
        raise InvalidInput(f"Port {port} is not allowed", field="url", code="address_not_allowed")
    return parts.scheme, parts.hostname, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def resolve(url: str) -> Target:
    """Raises InvalidInput, or Forbidden when one of the name's addresses is not public, or there is none."""
    scheme, host, port, path = _split(url)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CarillonError(f"{host} cannot be found: {error.strerror or error}", code="unknown_host") from None
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not all(_is_allowed(ipaddress.ip_address(address.partition("%")[0])) for address in addresses):
        raise Forbidden(f"{host} is inside a private network: it is not called")
    return Target(scheme, host, addresses[0], port, path)


def _is_allowed(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if settings.WEBHOOK_PRIVATE:
        return True
    return address.is_global and not address.is_multicast and (mapped is None or _is_allowed(mapped))
