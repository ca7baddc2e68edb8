"""The cookies of one user, as a browser would keep them (RFC 6265, without the list of public suffixes)."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import inf

from campaign.target.origin import Origin
from campaign.target.request import Request

MAX_COOKIES = 50
"""Cookies of one user; further ones are not kept."""

MAX_SIZE = 4096
"""Bytes of a cookie's name and value; a longer one is not kept."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie; `expires` in seconds since 1970 (None: with the session), `exact`: no Domain was given."""

    name: str
    value: str
    domain: str
    exact: bool
    path: str
    secure: bool
    expires: float | None

    def fits(self, origin: Origin, path: str) -> bool:
        """Whether it goes with a request to `path` of `origin`."""
        return (
            _domain_fits(self, origin.host)
            and (origin.secure or not self.secure)
            and (path == self.path or path.startswith(self.path.rstrip("/") + "/"))
        )


class Jar:
    """Cookies by name, domain and path."""

    __slots__ = ("_cookies", "_known", "_known_until")

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self._known: tuple[Origin, bytes] | None = None
        self._known_until = 0.0

    def __len__(self) -> int:
        return len(self._cookies)

    def store(self, header: bytes, origin: Origin, *, path: str, now: float) -> None:
        """Keep, replace or delete what a Set-Cookie header says; `now` in seconds since 1970."""
        cookie = parse_cookie(header.decode("utf-8", "replace"), origin, path=path, now=now)
        if cookie is None:
            return
        self._known = None
        key = (cookie.name, cookie.domain, cookie.path)
        if len(self._cookies) >= MAX_COOKIES:
            self._drop_expired(now)
        if cookie.expires is not None and cookie.expires <= now:
            self._cookies.pop(key, None)
        elif key in self._cookies or len(self._cookies) < MAX_COOKIES:
            self._cookies[key] = cookie

    def _drop_expired(self, now: float) -> None:
        live = {
            key: each for key, each in self._cookies.items() if each.expires is None or each.expires > now
        }
        self._cookies = live

    def line(self, request: Request, now: float) -> bytes:
        """The Cookie header line for `request`, with its line end, or b"".

        It is remembered until a cookie changes or expires, where all are for every path, as most are.
        """
        known = self._known
        if known is not None and now < self._known_until and known[0] == request.origin:
            return known[1]
        header = self.header(request.origin, path=request.target, now=now)
        if all(each.path == "/" for each in self._cookies.values()):
            ends = (each.expires for each in self._cookies.values() if each.expires is not None)
            self._known = (request.origin, header)
            self._known_until = min((each for each in ends if each > now), default=inf)
        return header

    def header(self, origin: Origin, *, path: str, now: float) -> bytes:
        """The Cookie header line for a request, with its line end, or b""; the longest paths come first."""
        path = path.partition("?")[0]
        live = [each for each in self._cookies.values() if each.expires is None or each.expires > now]
        fitting = sorted((each for each in live if each.fits(origin, path)), key=lambda each: -len(each.path))
        if not fitting:
            return b""
        pairs = "; ".join(f"{each.name}={each.value}" for each in fitting)
        return f"Cookie: {pairs}\r\n".encode()


def parse_cookie(header: str, origin: Origin, *, path: str, now: float) -> Cookie | None:
    """The cookie of a Set-Cookie header from `path` of `origin`, or None where it is to be ignored."""
    pair, *rest = header.split(";")
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not equals or not name or len(pair) > MAX_SIZE or not pair.isprintable():
        return None
    attributes = {}
    for part in rest:
        key, _, content = part.partition("=")
        attributes[key.strip().lower()] = content.strip()
    domain = attributes.get("domain", "").lstrip(".").lower()
    cookie = Cookie(
        name=name,
        value=value,
        domain=domain or origin.host,
        exact=not domain,
        path=_path(attributes.get("path", ""), path),
        secure="secure" in attributes,
        expires=_expiry(attributes, now),
    )
    return cookie if _domain_fits(cookie, origin.host) else None


def _domain_fits(cookie: Cookie, host: str) -> bool:
    if host == cookie.domain:
        return True
    is_name = not host.replace(".", "").isdigit() and ":" not in host
    return not cookie.exact and is_name and "." in cookie.domain and host.endswith(f".{cookie.domain}")


def _path(given: str, request_path: str) -> str:
    if given.startswith("/"):
        return given
    return request_path.partition("?")[0].rpartition("/")[0] or "/"


def _expiry(attributes: dict[str, str], now: float) -> float | None:
    """Max-Age wins over Expires; what cannot be read is not there."""
    try:
        if attributes.get("max-age"):
            return now + int(attributes["max-age"])
        if attributes.get("expires"):
            return parsedate_to_datetime(attributes["expires"]).timestamp()
    except (ValueError, TypeError, OverflowError):
        pass
    return None
