"""A failed exchange as text that a person reads: short, printable, secrets masked."""

from __future__ import annotations

from campaign.load.spec import ErrorSample
from campaign.load.transport import Connection
from campaign.redact import Redactor
from campaign.target.request import Request

MAX_TEXT = 400
"""Characters of either text."""

_READ = 4 * MAX_TEXT


def describe(
    at: float, user: int, *, request: Request | None, answer: Connection | None, redact: Redactor
) -> ErrorSample:
    """The sample; `answer` is the connection that the last answer, or a part of it, came on."""
    return ErrorSample(
        at=at,
        user=user,
        request=_shorten(_request_text(request), redact),
        answer=_shorten(_answer_text(answer), redact),
    )


def _request_text(request: Request | None) -> str:
    if request is None:
        return "not sent"
    body = request.body[:_READ].decode("utf-8", "replace")
    return f"{request} {body}".rstrip()


def _answer_text(answer: Connection | None) -> str:
    if answer is None or not answer.received:
        return "none"
    if not answer.status:
        return f"{answer.received} bytes without a whole head"
    encoded = any(name == b"content-encoding" for name, _ in answer.headers)
    body = "" if encoded else b"".join(answer.chunks)[:_READ].decode("utf-8", "replace")
    return f"{answer.status} {body}".rstrip()


def _shorten(text: str, redact: Redactor) -> str:
    # Masked before it is cut, or half a secret could stay.
    masked = redact(text)
    printable = "".join(each if each.isprintable() else "\ufffd" for each in masked[:MAX_TEXT])
    return printable + "…" if len(masked) > MAX_TEXT else printable
