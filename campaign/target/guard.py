"""What may get traffic. Decided on the resolved address, which is then the one that is connected to.

Loopback (127.0.0.0/8, ::1) and private addresses (RFC 1918, and fc00::/7 of RFC 4193) may; any other host
must be named in the campaign file's `target.allow_hosts`. Some addresses never may, whatever the file says.
Python's `is_private` is not asked: it accepts cloud metadata, 0.0.0.0 and a dozen special networks.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple, TypeAlias

from campaign.errors import RefusedError, TargetUnreachableError

IpAddress: TypeAlias = IPv4Address | IPv6Address
IpNetwork: TypeAlias = IPv4Network | IPv6Network

_NEVER: tuple[tuple[IpNetwork, str], ...] = tuple(
    (ip_network(network), reason)
    for network, reason in (
        ("169.254.169.254/32", "cloud metadata"),
        ("169.254.170.2/32", "cloud metadata"),
        ("100.100.100.200/32", "cloud metadata"),
        ("192.0.0.192/32", "cloud metadata"),
        ("168.63.129.16/32", "cloud metadata"),
        ("fd00:ec2::254/128", "cloud metadata"),
        ("169.254.0.0/16", "a link-local address"),
        ("fe80::/10", "a link-local address"),
        ("0.0.0.0/8", "an unspecified address"),
        ("::/128", "an unspecified address"),
        ("224.0.0.0/4", "a multicast address"),
        ("ff00::/8", "a multicast address"),
        ("255.255.255.255/32", "the broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
_OWN: tuple[IpNetwork, ...] = tuple(
    ip_network(network)
    for network in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
_NAT64 = IPv6Network("64:ff9b::/96")
_PRODUCTION = frozenset({"production", "prod", "live"})


class Address(NamedTuple):
    """Where to connect: an IP address as text, a port, and the socket family (AF_INET or AF_INET6)."""

    ip: str
    port: int
    family: int


class UnresolvedError(TargetUnreachableError, OSError):
    """A host name has no address; an OSError too, as a failed connection is."""

    slug = "unresolved"


class Guard:
    """Lets traffic through to loopback, private and named hosts (names, addresses or networks)."""

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._names: set[str] = set()
        self._networks: list[IpNetwork] = []
        for entry in allow_hosts:
            try:
                self._networks.append(ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._names.add(_plain(entry))

    def check(self, host: str, address: str) -> None:
        """Return when `address`, which `host` resolved to, may get traffic. Raises RefusedError."""
        for each in _unwrapped(ip_address(address)):
            if reason := next((reason for network, reason in _NEVER if each in network), ""):
                raise RefusedError(f"{_both(host, address)} is {reason}, which never gets traffic")
        if not self._allows(host, ip_address(address)):
            raise RefusedError(
                f"{_both(host, address)} is neither loopback nor private; "
                f"to test it, name {host} in target.allow_hosts of the campaign file"
            )

    async def resolve(self, host: str, port: int) -> tuple[Address, ...]:
        """The addresses of `host` that may get traffic, in the resolver's order: connect to these only.

        Raises RefusedError when it has addresses and none of them may, UnresolvedError when it has none.
        """
        refusal: RefusedError | None = None
        allowed: list[Address] = []
        for address in await _lookup(host, port):
            try:
                self.check(host, address.ip)
                allowed.append(address)
            except RefusedError as error:
                refusal = refusal or error
        if refusal and not allowed:
            raise refusal
        return tuple(allowed)

    async def vet(self, host: str, port: int) -> None:
        """Return when `host`, which a proxy will look up for us, may get traffic; else raise RefusedError.

        We cannot choose the address then, so all that we find must be allowed; a name that only the proxy
        knows must be in allow_hosts.
        """
        try:
            addresses = await _lookup(host, port)
        except UnresolvedError as error:
            if _plain(host) in self._names:
                return
            raise RefusedError(
                f"{host} cannot be resolved here; to reach it through the proxy, name it in "
                "target.allow_hosts of the campaign file"
            ) from error
        for address in addresses:
            self.check(host, address.ip)

    def _allows(self, host: str, address: IpAddress) -> bool:
        if _plain(host) in self._names:
            return True
        networks = (*_OWN, *self._networks)
        return any(_embedded(address) in network for network in networks)


def is_production(environment: str) -> bool:
    """Whether a target of this environment serves real people."""
    return environment.strip().lower() in _PRODUCTION


def check_environment(environment: str, *, allow_production: bool) -> None:
    """Return when a target of this environment may be tested, else raise RefusedError."""
    if is_production(environment) and not allow_production:
        raise RefusedError(f"the target is in {environment}; add --allow-production to test it all the same")


async def _lookup(host: str, port: int) -> list[Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnresolvedError(f"host {host} cannot be resolved: {error}") from error
    unique = dict.fromkeys(
        Address(str(sockaddr[0]), port, int(family)) for family, _, _, _, sockaddr in found
    )
    return list(unique)


def _unwrapped(address: IpAddress) -> set[IpAddress]:
    """The address and every IPv4 address that it carries inside (mapped, 6to4, NAT64)."""
    if isinstance(address, IPv4Address):
        return {address}
    inside: set[IpAddress] = {each for each in (address.ipv4_mapped, address.sixtofour) if each}
    if address in _NAT64:
        inside.add(IPv4Address(int(address) & 0xFFFFFFFF))
    return {address, *inside}


def _embedded(address: IpAddress) -> IpAddress:
    """The IPv4 address that a mapped one (::ffff:10.0.0.1) stands for, else the address itself."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _plain(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _both(host: str, address: str) -> str:
    return host if host == address else f"{host} ({address})"
