"""What the address of a server says of the way there."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this computer alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_open(address: str) -> bool:
    """Tell whether what goes to a server can be read and altered on its way: not by TLS, nor within this computer."""
    parts = urlsplit(address)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
