"""Which addresses may be read on behalf of a model: those of the public net, and what the configuration adds. Pure."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

URL_CHARS = 2000
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PUBLIC = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given out to the public net: https://www.iana.org/assignments/ipv6-address-space."""
_INNER = (ipaddress.IPv4Address("168.63.129.16"), ipaddress.IPv4Address("192.0.0.192"))
"""What looks public and is a machine's own cloud: the wire server of Azure, and where Oracle's machines learn of themselves."""


def url_of(text: object) -> SplitResult | None:
    """Return the parts of an address that can be read at all; None for anything else."""
    if not isinstance(text, str) or not text.isascii() or any(char.isspace() for char in text):
        return None
    try:
        parts = urlsplit(text)
        is_sound = parts.port != 0
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and "\\" not in text
    return parts if is_sound and is_web and parts.username is None and parts.password is None else None


def is_reachable(address: str, permitted: Sequence[Network]) -> bool:
    """True for an address of the public net, or of a network that is permitted."""
    try:
        ip = _inner(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if any(ip in network for network in permitted):
        return True
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _PUBLIC:
        return False
    return ip.is_global and not ip.is_multicast and ip not in _INNER


def _inner(ip: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip
