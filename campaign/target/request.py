"""A request as the wire will see it, and the one that a redirect asks for next."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

from campaign.errors import ConfigurationError
from campaign.target.origin import Origin, split_url

_SEE_OTHER = 303
_REWRITTEN_TO_GET = (301, 302)
_BODY_HEADERS = (b"content-length:", b"content-type:")
_PRIVATE_HEADERS = (b"authorization:", b"cookie:")


@dataclass(slots=True, eq=False)
class Request:
    """`head` runs from the request line to the last header line; nothing is changed once it is built."""

    origin: Origin
    method: str
    head: bytes
    body: bytes

    def wire(self, cookie: bytes = b"") -> bytes:
        """The bytes to send; `cookie` is a whole header line (`Cookie: a=b` and CRLF) or nothing."""
        return b"%b%b\r\n%b" % (self.head, cookie, self.body)

    @property
    def target(self) -> str:
        """The path with its query, as sent."""
        return self.head.split(b" ", 2)[1].decode("latin-1")

    def __str__(self) -> str:
        return f"{self.method} {self.origin}{self.target}"


def follow(request: Request, status: int, *, location: str) -> Request | None:
    """The request that a redirect with this status and Location asks for, or None where we cannot go.

    As browsers do (Fetch standard, section 4.4): 303, and 301 or 302 after a POST, become a GET without a
    body. Authorization and cookies stay behind when the origin changes.
    """
    try:
        origin, path = split_url(urljoin(f"{request.origin}{request.target}", location))
    except (ConfigurationError, ValueError):
        return None
    target = (path or "/").encode("utf-8", "replace")
    if any(byte <= 0x20 or byte >= 0x7F for byte in target):
        return None
    left_out: tuple[bytes, ...] = (b"host:",)
    if origin != request.origin:
        left_out += _PRIVATE_HEADERS
    method, body = request.method, request.body
    if _becomes_get(request.method, status):
        method, body, left_out = "GET", b"", left_out + _BODY_HEADERS
    lines = [line for line in request.head.split(b"\r\n")[1:] if not line.lower().startswith(left_out)]
    start = b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (method.encode(), target, origin.authority.encode())
    return Request(origin, method, start + b"\r\n".join(lines), body)


def _becomes_get(method: str, status: int) -> bool:
    if status == _SEE_OTHER:
        return method != "HEAD"
    return status in _REWRITTEN_TO_GET and method == "POST"
