"""A failed exchange as text that a person reads: short, printable, secrets masked."""

from __future__ import annotations

from collections.abc import Callable

from campaign.load.answer import Answer
from campaign.load.tally import ErrorSample
from campaign.target.request import Request

MAX_TEXT = 400
"""Characters of either text."""

_READ = 4 * MAX_TEXT


def describe(
    at: float, user: int, *, request: Request | None, answer: Answer | None, redact: Callable[[str], str]
) -> ErrorSample:
    """The sample; `answer` is the last answer, or the part of it that came."""
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


def _answer_text(answer: Answer | None) -> str:
    if answer is None or not answer.received:
        return "none"
    if not answer.status:
        return f"{answer.received} bytes without a whole head"
    encoded = any(name == b"content-encoding" for name, _ in answer.headers)
    body = "" if encoded else b"".join(answer.chunks)[:_READ].decode("utf-8", "replace")
    return f"{answer.status} {body}".rstrip()


def _shorten(text: str, redact: Callable[[str], str]) -> str:
    # Masked before it is cut, or half a secret could stay.
    masked = redact(text)
    printable = "".join(each if each.isprintable() else "\ufffd" for each in masked[:MAX_TEXT])
    return printable + "…" if len(masked) > MAX_TEXT else printable
