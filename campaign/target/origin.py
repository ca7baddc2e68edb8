"""Where a URL points: the three facts that a connection is made from."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from campaign.errors import ConfigurationError

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme (`http` or `https`), host without brackets, port: equal ones may share a connection."""

    scheme: str
    host: str
    port: int

    @property
    def secure(self) -> bool:
        """Whether the connection is TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The value of a Host header: an IPv6 address in brackets, no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def split_url(url: str) -> tuple[Origin, str]:
    """The origin of an absolute URL, and its path with the query ("" where it has none).

    Raises ConfigurationError for anything but http and https, a missing host, and credentials in the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is not a URL: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ConfigurationError(f"{url!r} is not a URL such as http://127.0.0.1:8000")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"the URL of {parts.hostname} holds credentials; give them as auth or a header"
        )
    query = f"?{parts.query}" if parts.query else ""
    return Origin(parts.scheme, _ascii_host(parts.hostname), port or _PORTS[parts.scheme]), parts.path + query


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ConfigurationError(f"{host!r} is not a host name: {error}") from error
