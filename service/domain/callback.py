"""Which URLs and which addresses a webhook may be sent to.

The URL is checked as it is accepted (nothing is looked up then) and again, with every address
that its name has, as it is called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

MAX_URL_CHARACTERS = 2048

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# From IANA's special-purpose registry (https://www.iana.org/assignments/iana-ipv4-special-registry),
# written out because `ipaddress.is_global` changes between patch releases of Python.
_REFUSED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; a cloud's metadata at 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host agent, at an address that looks public
        "169.254.0.0/16",  # link-local; most clouds' metadata at 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation, like the next but three
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

# Only this block of IPv6 is global unicast. Outside it lie loopback, link-local, site-local, unique
# local, multicast and the forms that carry an IPv4 address (mapped, compatible, NAT64).
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them, which carries an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address
        "3fff::/20",  # documentation
    )
)

_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\Z"
)
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+\Z")
# What some resolvers read as an IPv4 address: a last label of digits, or hexadecimal.
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\Z")
# Names that only mean something inside a network (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal).
_INSIDE = re.compile(
    r"(?:[^.]+|.*\.(?:localhost|local|internal|intranet|lan|home|corp|private|localdomain|home\.arpa))\Z"
)


class CallbackRefusedError(ValueError):
    """A webhook may not go there; the message says why."""


@dataclass(frozen=True, slots=True)
class Callback:
    """The parts of a checked URL. `address` is set when the host is one."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None = None

    @property
    def authority(self) -> str:
        """The `Host` header: the host and, unless it is the scheme's own, the port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """What is allowed beyond https to public addresses: the operator's settings."""

    allow_http: bool = False
    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, allow_http: bool, allowed: tuple[str, ...]) -> CallbackPolicy:
        """A policy whose allow-list has networks and host names. Raises `ValueError`."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in allowed:
            if re.fullmatch(r"[0-9./]+|.*:.*", entry):
                networks.append(ip_network(entry))
            elif _HOST.match(entry.lower()) and not _NUMERIC.match(entry.lower()):
                hosts.add(entry.lower())
            else:
                raise ValueError(f"{entry!r} is neither a network nor a host name")
        return cls(allow_http, tuple(networks), frozenset(hosts))

    def check_url(self, url: str) -> Callback:
        """The parts of `url`. Raises `CallbackRefusedError`; looks nothing up."""
        if len(url) > MAX_URL_CHARACTERS:
            raise CallbackRefusedError(f"Longer than {MAX_URL_CHARACTERS} characters.")
        if not _VISIBLE_ASCII.match(url) or "\\" in url:
            raise CallbackRefusedError("Must be visible ASCII (international names as xn--…).")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as err:
            raise CallbackRefusedError("Not a URL.") from err
        if parts.scheme not in {"https", "http"}:
            raise CallbackRefusedError("Must be an https URL.")
        if parts.scheme == "http" and not self.allow_http:
            raise CallbackRefusedError("Must be https: this service does not call plain http.")
        if "@" in parts.netloc:
            raise CallbackRefusedError("Must not carry a user name or password.")
        if "#" in url:
            raise CallbackRefusedError("Must not have a fragment.")
        if port == 0 or parts.netloc.endswith(":"):
            raise CallbackRefusedError("Not a port.")
        port = port or (443 if parts.scheme == "https" else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        address = self._check_host(host, bracketed=parts.netloc.startswith("["))
        return Callback(parts.scheme, host, port, path, address)

    def check_address(self, host: str, address: Address) -> None:
        """Raise `CallbackRefusedError` unless a webhook for `host` may go to `address`."""
        if host in self.hosts:
            return
        if any(address in network for network in self.networks):
            return
        if not _is_public(address):
            raise CallbackRefusedError(f"{address} is not a public address.")

    def _check_host(self, host: str, *, bracketed: bool) -> Address | None:
        if bracketed or _NUMERIC.match(host):
            try:
                if "%" in host:
                    raise ValueError("a zone")
                # Strict: four decimal numbers without leading zeros, or IPv6.
                address = ip_address(host)
            except ValueError as err:
                raise CallbackRefusedError("Not a host name or an address in full.") from err
            self.check_address(host, address)
            return address
        if not _HOST.match(host):
            raise CallbackRefusedError("Not a host name.")
        # With a network on the allow-list its names are welcome, and the address decides.
        if host not in self.hosts and not self.networks and _INSIDE.match(host):
            raise CallbackRefusedError("Names a host inside a network.")
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    return (
        address in _GLOBAL_V6
        and address.scope_id is None
        and not any(address in network for network in _REFUSED_V6)
    )
