"""Errors are provoked, and their answers searched for the insides of the service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from campaign.errors import CampaignError
from campaign.target.request import Request
from phases.safety.asking import NotTestedError, ask
from phases.safety.cast.principal import Principal
from phases.safety.changes import Change, fields_of, with_header, with_query, with_target
from phases.safety.probe import Answered, Probe
from phases.safety.transport.plan import WEIGHTS, check_of

REMEDY = "Answer an error with a code and a sentence; keep the trace for a log, and switch debug pages off."
WRONG = 400
SERVER_ERROR = 500
NESTED = 5_000
LONG = "a" * 3_000

INSIDES = (
    ("a Python trace", r"Traceback \(most recent call last\)|\bFile \"[^\"\n]{1,200}\", line \d+"),
    ("a Java trace", r"\bat [\w$.]{3,200}\([\w$]{1,80}\.(?:java|kt):\d+\)"),
    ("a Java trace", r"\bjava\.\w+\.\w{0,60}(?:Exception|Error)\b"),
    ("a JavaScript trace", r"\bat (?:[\w.<>$ ]{1,100} )?\(?(?:file://)?/[^\s():]{1,200}\.[cm]?[jt]s:\d+:\d+"),
    ("a .NET trace", r"\bat [\w.`<>]{3,200}\([^)\n]{0,200}\) in [^\n]{1,200}:line \d+"),
    ("a .NET trace", r"\bSystem\.\w{1,60}Exception\b"),
    ("a Go trace", r"\bgoroutine \d+ \[|\bpanic: "),
    ("a Ruby trace", r"\.rb:\d+:in [`']"),
    ("a PHP trace", r"\bon line <?b?>?\d+|#\d+ /[^\s]{1,200}\.php\(\d+\)"),
    ("words of the database", r"\bSQLSTATE\b|\bORA-\d{5}\b|syntax error at or near|error in your SQL syntax"),
    ("words of its driver", r"\b(?:sqlalchemy|psycopg2?|asyncpg|pymysql|sqlite3)\.(?:exc|errors|\w*Error)\b"),
    ("a debug page", r"Werkzeug Debugger|DEBUG = True|Whoops\\Exception"),
)  # fmt: skip
"""What only its makers should see; bounded, so that no answer makes the search slow."""

PATTERNS = tuple((name, re.compile(text.encode())) for name, text in INSIDES)


async def errors(who: Principal, operations: Iterable[str]) -> Probe:
    """Every operation, spoilt in several ways."""
    statuses: list[int] = []
    for operation in operations:
        for change in spoilt(who, operation):
            try:
                heard = await ask(who, operation, change=change)
            except CampaignError:
                continue  # no answer, or none that can be had: that shows nothing of its insides
            statuses.append(heard.status or 0)
            if name := insides(heard.body):
                said = f"{operation}, spoilt, was answered {heard.status} with {name}"
                return _probe(Answered.FAILED, said, (heard.id,))
    refused = [each for each in statuses if each >= WRONG]
    if not refused:
        raise NotTestedError("nothing that was sent made it answer with an error")
    crashed = sum(each >= SERVER_ERROR for each in refused)
    said = (
        f"{len(refused)} errors were provoked ({crashed} of them 500 and above), and none shows its insides"
    )
    return _probe(Answered.PASSED, said)


def insides(body: bytes) -> str:
    """What of the service's insides an answer shows, in words; "" for nothing."""
    return next((name for name, pattern in PATTERNS if pattern.search(body)), "")


def spoilt(who: Principal, operation: str) -> Iterator[Change]:
    """Ways to send it that no client should."""
    request = who.built(operation)
    path, _, query = request.target.partition("?")
    yield lambda each: with_target(each, "/campaign-no-such-path")
    yield with_header("Content-Type", "application/xml")
    if request.method != "DELETE":  # a method that is none must not delete by its path
        yield _with_method("BREW")
    if request.method == "GET":
        parent = path.rpartition("/")[0]
        for end in ("%00", "%27%22%3B--", "..%2f..%2f", LONG, "-1"):
            yield _with_path(f"{parent}/{end}")
    for name in [pair.partition("=")[0] for pair in query.split("&") if pair]:
        for value in ("'", "-1", "\x00", LONG):
            yield with_query(name, value)
    fields = fields_of(request)
    if fields is not None:
        yield from _bodies(fields)


def _bodies(fields: dict[str, object]) -> Iterator[Change]:
    """Bodies that cannot be meant: broken, of other types, nested without end, what databases choke on."""
    yield _with_body(b'{"a":')
    yield _with_body(b"\xff\xfe\x00")
    yield _with_body(b"[" * NESTED)
    yield _with_body(b"null")
    values: tuple[object, ...] = ({"a": [1]}, [[]], 1e308, -(2**63), "\x00'\"\\", "\ud800", LONG)
    for value in values:
        spoilt = dict.fromkeys(fields, value)
        yield _with_body(json.dumps(spoilt).encode("utf-8", "replace"))


def _with_body(body: bytes) -> Change:
    return lambda request: replace(request, body=body)


def _with_path(path: str) -> Change:
    return lambda request: with_target(request, path)


def _with_method(method: str) -> Change:
    def change(request: Request) -> Request:
        _, _, rest = request.head.partition(b" ")
        return replace(request, method=method, head=method.encode() + b" " + rest)

    return change


def _probe(answered: Answered, said: str, ids: tuple[str, ...] = ()) -> Probe:
    remedy = REMEDY if answered is Answered.FAILED else ""
    return Probe(check_of("errors"), WEIGHTS["errors"], answered, said, remedy, ids)
