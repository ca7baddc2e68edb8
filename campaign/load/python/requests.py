"""Requests that have no operation in the campaign file: `self.request("GET", "/items?page=2")`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from campaign.load.step import Step, make_step
from campaign.load.timeouts import Timeouts
from campaign.target.operation import compile_operation
from campaign.target.request import Request
from campaign.target.scope import Scope
from campaign.target.spec import BodySpec, ExpectSpec, OperationSpec, OptionsSpec, TargetSpec

MOST_SHAPES = 100
"""Different services, methods, time-outs and expectations that are kept ready."""

_REPLACED = (b"content-length:", b"content-type:")


@dataclass(frozen=True, slots=True)
class Wish:
    """A request as the user's code asks for it: what can differ each time."""

    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = ...
    form: Mapping[str, Any] | None = None
    body: bytes | str = b""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is made ready once for all requests that have it in common."""

    method: str
    service: str
    timeout: float
    expect: tuple[int | str, ...]


class RequestMaker:
    """Makes the steps of such requests; the headers of the device and of the target go with them."""

    def __init__(self, target: TargetSpec, timeouts: Timeouts, *, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._target = target
        self._timeouts = timeouts
        self._shapes: dict[Shape, Step] = {}

    def step(self, shape: Shape, wish: Wish, *, index: int) -> Step:
        """The step for a request, counted as operation number `index`.

        Raises ValueError for what is no request, and ConfigurationError for an unknown service.
        """
        step = self._shapes.get(shape)
        if step is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            step = self._shapes[shape] = self._ready(shape)
        return replace(step, index=index, build=filled(step.build, wish))

    def _ready(self, shape: Shape) -> Step:
        spec = OperationSpec(
            shape.method,
            shape.method,
            "/",
            service=shape.service,
            headers=self._headers,
            body=BodySpec(),
            expect=ExpectSpec(status=shape.expect),
            options=OptionsSpec(timeout=shape.timeout),
        )
        return make_step(compile_operation(spec, self._target), 0, timeouts=self._timeouts)


def filled(frame: Callable[[Scope], Request], wish: Wish) -> Callable[[Scope], Request]:
    """Builds the request of `frame`, which asks for /, with what `wish` says instead."""
    target = _target(wish)
    content_type, body = _content(wish)
    headers = {name: str(value) for name, value in wish.headers.items()}
    if content_type and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = content_type
    lines = [_line(name, value) for name, value in headers.items()]
    left_out = (*_REPLACED, *(f"{name.lower()}:".encode() for name in headers))

    def build(scope: Scope) -> Request:
        ready = frame(scope)
        first, *rest = ready.head.split(b"\r\n")
        method, prefix, version = first.split(b" ")
        kept = [line for line in rest if line and not line.lower().startswith(left_out)]
        length = (
            [b"Content-Length: %d" % len(body)] if body or ready.method in ("POST", "PUT", "PATCH") else []
        )
        begin = b"%b %b%b %b" % (method, prefix.rstrip(b"/"), target, version)
        return Request(ready.origin, ready.method, b"\r\n".join([begin, *kept, *lines, *length, b""]), body)

    return build


def default_name(method: str, path: str) -> str:
    """What such a request is called where it is given no name: method and path, without the query."""
    return f"{method} {path.partition('?')[0]}"


def statuses(expect: int | str | Sequence[int | str]) -> tuple[int | str, ...]:
    """One status, or several, as expectations want them."""
    return (expect,) if isinstance(expect, int | str) else tuple(expect)


def _target(wish: Wish) -> bytes:
    if not wish.path.startswith("/") or "#" in wish.path:
        raise ValueError(f"the path {wish.path!r} must begin with / and have no #")
    path = quote(wish.path, safe="/?[]@!$&'()*+,;=:%-._~")
    if not wish.query:
        return path.encode()
    separator = "&" if "?" in path else "?"
    return f"{path}{separator}{urlencode(dict(wish.query), doseq=True)}".encode()


def _content(wish: Wish) -> tuple[str, bytes]:
    if (wish.json is not ...) + (wish.form is not None) + bool(wish.body) > 1:
        raise ValueError("a request has one of json, form and body")
    if wish.json is not ...:
        return "application/json", json.dumps(wish.json, separators=(",", ":")).encode()
    if wish.form is not None:
        return "application/x-www-form-urlencoded", urlencode(dict(wish.form), doseq=True).encode()
    return "", wish.body.encode() if isinstance(wish.body, str) else bytes(wish.body)


def _line(name: str, value: str) -> bytes:
    line = f"{name}: {value}"
    if not line.isprintable() or not name or ":" in name or " " in name:
        raise ValueError(f"{line!r:.60} is no header on one line")
    return line.encode("utf-8")
