"""What was sent and answered, kept as evidence: masked, numbered, and ready to be repeated with curl."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from campaign.redact import mask_personal
from campaign.target.http import Answer
from campaign.target.request import Request
from phases.safety.repeat import CREDENTIALS, LARGEST, Step, scheme_of, script, sent_headers

MOST_KEPT = 6_000
"""Exchanges held in memory."""

MOST_SHOWN = 60
"""Exchanges in the report besides those that something names."""

MOST_SCRIPTS = 40
"""Failures for which a script is written."""

MOST_TEXT = 600
"""Characters of a request's or an answer's body that are kept."""

_PLACE = re.compile(r"\0([^$']*)\$TOKEN'")
"""Where a credential stands in a word of the shell, behind the name of its header."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer. `who` asked; `status` is None where there was no answer, and `answer` says
    why then. Credentials and personal data are masked, canaries are not. `script` makes those who took part
    anew and asks again, where that can be said.
    """

    id: str
    who: str
    operation: str
    request: str
    status: int | None
    answer: str
    curl: str
    script: str = ""


@dataclass(slots=True)
class Exchanges:
    """Those of one phase, numbered from E1. `redact` masks secrets; `rests` says for how many seconds
    somebody waited between being made and being asked, where that matters.
    """

    redact: Callable[[str], str]
    kept: dict[str, Exchange] = field(default_factory=dict)
    count: int = 0
    named: set[str] = field(default_factory=set)
    steps: dict[str, Step] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    rests: dict[str, float] = field(default_factory=dict)

    def keep(self, who: str, operation: str, request: Request, answer: Answer | str) -> str:
        """The id of one more exchange; `answer` is a text where none came."""
        self.count += 1
        number = f"E{self.count}"
        status = None if isinstance(answer, str) else answer.status
        told = answer if isinstance(answer, str) else _text(answer.body, self.redact)
        if len(self.kept) < MOST_KEPT:
            if len(request.body) <= LARGEST:
                self.steps[number] = Step(self.count, who, operation, request)
            self.kept[number] = Exchange(
                number,
                who,
                operation,
                _request(request, self.redact),
                status,
                told,
                curl(request, self.redact),
            )
        return number

    def made(self, number: str, saved: Mapping[tuple[str, str], str]) -> None:
        """Note that an exchange went well, and by name and path what was saved of its answer."""
        if number in self.steps:
            self.steps[number] = replace(self.steps[number], made=True, saved=saved)

    def show(self, exchanges: Sequence[str]) -> None:
        """Write a script for the first of these, by which anybody can see what it shows."""
        first = next(iter(exchanges), "")
        if first in self.kept and first not in self.shown and len(self.shown) < MOST_SCRIPTS:
            self.shown.add(first)
            rest = self.rests.get(self.kept[first].who, 0.0)
            told = script(self.steps, first, redact=self.redact, rest=rest)
            self.kept[first] = replace(self.kept[first], script=told)

    def plain(self) -> list[dict[str, Any]]:
        """Those that something names, and the first of the others, as JSON data."""
        first = set(list(self.kept)[:MOST_SHOWN])
        return [asdict(each) for each in self.kept.values() if each.id in self.named or each.id in first]


def curl(request: Request, redact: Callable[[str], str]) -> str:
    """The command that sends the same again; credentials stand as $TOKEN."""
    parts = ["curl", "-i", "-X", request.method]
    for name, value in sent_headers(request).items():
        secret = CREDENTIALS.match(name)
        parts += ["-H", f"{name}: \0{scheme_of(value)}$TOKEN" if secret else f"{name}: {value}"]
    if request.body:
        parts += ["--data-binary", redact(request.body[:MOST_TEXT].decode("utf-8", "replace"))]
    parts.append(redact(f"{request.origin}{request.target}"))
    return _PLACE.sub('\'"\\1$TOKEN"', shlex.join(parts))


def headers_of(request: Request) -> Mapping[str, str]:
    """The headers that the operation set, without those that every client sets itself."""
    lines = request.head.decode("utf-8", "replace").split("\r\n")[1:]
    pairs = (line.split(": ", 1) for line in lines if ": " in line)
    return {
        name: value for name, value in pairs if name.lower() not in {"host", "content-length", "user-agent"}
    }


def _request(request: Request, redact: Callable[[str], str]) -> str:
    return f"{request} {_text(request.body, redact)}".rstrip()


def _text(body: bytes, redact: Callable[[str], str]) -> str:
    text = redact(body[: 4 * MOST_TEXT].decode("utf-8", "replace"))
    masked = mask_personal(text)
    printable = "".join(each if each.isprintable() else "\ufffd" for each in masked[:MOST_TEXT])
    return printable + "…" if len(masked) > MOST_TEXT else printable
