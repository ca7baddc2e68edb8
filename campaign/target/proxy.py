"""The HTTP proxy that traffic goes through: where it listens, and who we say we are to it."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from campaign.errors import ConfigurationError
from campaign.target.origin import Origin, split_url

ALLOWED = "a URL such as http://127.0.0.1:3128 or http://user:password@proxy:3128 (http only, no path)"


class Proxy(NamedTuple):
    """Where the proxy listens; `authorization` is the value of Proxy-Authorization, or ""."""

    origin: Origin
    authorization: str


def read_proxy(url: str) -> Proxy:
    """The proxy of a URL whose user and password become Basic credentials (RFC 7617).

    Raises ConfigurationError for anything but http://[user:password@]host[:port].
    """
    try:
        parts = urlsplit(url)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        origin, path = split_url(bare.geturl())
    except (ValueError, ConfigurationError) as error:
        raise ConfigurationError(f"the proxy is not {ALLOWED}") from error
    if origin.secure or path not in {"", "/"}:
        raise ConfigurationError(f"the proxy is not {ALLOWED}")
    return Proxy(origin, _basic(parts))


def _basic(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(credentials.encode()).decode()}"
