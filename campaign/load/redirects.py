"""Which request an answer sends us on to."""

from __future__ import annotations

from collections.abc import Sequence

from campaign.load.failure import ExchangeError
from campaign.load.tally import ErrorKind
from campaign.target.request import Request, follow
from campaign.target.spec import ExpectSpec

REDIRECTS = frozenset({301, 302, 303, 307, 308})


def follows_redirects(limit: int, expect: ExpectSpec) -> bool:
    """Whether redirects are followed: not where none is allowed, nor where one is the answer that is
    expected.
    """
    return limit > 0 and not any(str(status).startswith("3") for status in expect.status)


def next_request(request: Request, status: int, *, headers: Sequence[tuple[bytes, bytes]]) -> Request | None:
    """The request that a redirect asks for, or None where it names no place. Raises ExchangeError for a wrong
    one.
    """
    location = next((value for name, value in headers if name == b"location"), None)
    if location is None:
        return None
    following = follow(request, status, location=location.decode("utf-8", "replace"))
    if following is None:
        raise ExchangeError(ErrorKind.PROTOCOL, "a redirect that leads nowhere", answered=True)
    return following
