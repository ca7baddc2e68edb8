"""Changes to a request before it is sent: another header, another field, another value in the query."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from campaign.target.request import Request

Change = Callable[[Request], Request]


def with_header(name: str, value: str) -> Change:
    """The request with this header, in place of one of that name."""
    wanted = f"{name}: {value}".encode("latin-1", "replace")

    def change(request: Request) -> Request:
        lines = without_line(request.head, name).split(b"\r\n")
        return replace(request, head=b"\r\n".join([lines[0], wanted, *lines[1:]]))

    return change


def without_header(name: str) -> Change:
    """The request without this header."""
    return lambda request: replace(request, head=without_line(request.head, name))


def without_line(head: bytes, name: str) -> bytes:
    """The head without the lines of this header."""
    begins = f"{name.lower()}:".encode()
    return b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(begins))


def with_query(name: str, value: str) -> Change:
    """The request with this value for a parameter of its query."""

    def change(request: Request) -> Request:
        path, _, query = request.target.partition("?")
        pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != name]
        return with_target(request, f"{path}?{urlencode([*pairs, (name, value)])}")

    return change


def with_target(request: Request, target: str) -> Request:
    """The request for another path, with its query."""
    method, _, rest = request.head.split(b" ", 2)
    return replace(request, head=b" ".join((method, target.encode("latin-1", "replace"), rest)))


def fields_of(request: Request) -> dict[str, Any] | None:
    """The fields of a JSON body; None where it has none."""
    try:
        found = json.loads(request.body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def with_field(name: str, value: Any) -> Change:
    """The request with one more field in its JSON body, which must have fields."""

    def change(request: Request) -> Request:
        fields = fields_of(request) or {}
        return replace(request, body=json.dumps({**fields, name: value}).encode())

    return change
