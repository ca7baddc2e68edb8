"""An operation of the campaign file, compiled: for a user's scope it gives the request, ready for the wire.

Everything that never changes (request line, headers, the fixed parts of the body) is laid out once; a request
costs two fillings of holes and one joining of bytes. What fills a hole can neither leave its place in the
path nor start a header of its own, even when it came from a hostile target.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from campaign import __version__
from campaign.errors import ConfigurationError
from campaign.target.body import Body, compile_body
from campaign.target.expect import Expectation, compile_expectation
from campaign.target.origin import Origin, split_url
from campaign.target.request import Request
from campaign.target.scope import RenderError, Scope
from campaign.target.spec import ExpectSpec, OperationSpec, TargetSpec
from campaign.target.talk import SocketScript, compile_script
from campaign.target.template import Piece, Text, as_text, map_pieces, split_text

USER_AGENT = f"campaign/{__version__}"

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
_BREAKS_LINE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset({"content-length", "transfer-encoding"})
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Operation:
    """`build(scope)` gives the request for one user, `expectation` judges its answer.

    `build` raises RenderError where the user lacks a value, and FeedExhaustedError. `script` is what is said
    once the answer has opened a WebSocket.
    """

    __slots__ = ("build", "expectation", "name", "origin", "script", "spec")

    def __init__(
        self, spec: OperationSpec, *, origin: Origin, head: Text, body: Body, script: SocketScript | None
    ) -> None:
        self.name = spec.name
        self.spec = spec
        self.origin = origin
        self.script = script
        self.expectation: Expectation = compile_expectation(_expected(spec), save=spec.save)
        self.build: Callable[[Scope], Request] = _builder(spec.method, origin, head=head, body=body)


def compile_operation(
    spec: OperationSpec, target: TargetSpec, *, known: Collection[str] | None = None
) -> Operation:
    """`spec` ready for use against `target`; `known` are the variables and feeds its templates may name.

    Raises TemplateError and other ConfigurationErrors, each naming the operation.
    """
    try:
        origin, prefix = _base(spec, target)
        body = compile_body(spec.body, known)
        pieces = [
            *_request_line(spec, prefix, known=known),
            *_header_block(_headers(spec, target, origin=origin, body=body), known),
            *_authorization(spec, target, known=known),
        ]
        script = None if spec.options.socket is None else compile_script(spec.options.socket, known)
        return Operation(spec, origin=origin, head=Text(pieces), body=body, script=script)
    except ConfigurationError as error:
        raise type(error)(f"operation {spec.name!r}: {error}") from error


def _expected(spec: OperationSpec) -> ExpectSpec:
    """What the answer must be; that to an upgrade is 101 unless another status is named."""
    if spec.options.socket is None or spec.expect.status:
        return spec.expect
    return replace(spec.expect, status=(101,))


def _base(spec: OperationSpec, target: TargetSpec) -> tuple[Origin, str]:
    if spec.service and spec.service not in target.services:
        raise ConfigurationError(f"there is no service {spec.service!r}")
    origin, path = split_url(target.services[spec.service].url if spec.service else target.url)
    return origin, path.partition("?")[0].rstrip("/")


def _request_line(spec: OperationSpec, prefix: str, *, known: Collection[str] | None) -> list[Piece]:
    if not spec.path.startswith("/"):
        raise ConfigurationError(f"path {spec.path!r} does not begin with /")
    if not _TOKEN.fullmatch(spec.method):
        raise ConfigurationError(f"{spec.method!r} is not an HTTP method")
    pieces: list[Piece] = [f"{spec.method} ", _literal_path(prefix)]
    pieces += map_pieces(split_text(spec.path, known), literal=_literal_path, hole=_encoded)
    separator = "&" if "?" in spec.path else "?"
    for name, value in spec.query.items():
        pieces.append(f"{separator}{_encoded(name)}=")
        pieces += map_pieces(split_text(value, known), literal=_encoded, hole=_encoded)
        separator = "&"
    return [*pieces, " HTTP/1.1\r\n"]


def _literal_path(text: str) -> str:
    if "#" in text:
        raise ConfigurationError(f"path {text!r} holds a #, which is never sent")
    return quote(text, safe="/?[]@!$&'()*+,;=:%-._~")


def _encoded(value: Any) -> str:
    text = as_text(value)
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="", errors="replace")


def _headers(spec: OperationSpec, target: TargetSpec, *, origin: Origin, body: Body) -> dict[str, str]:
    """Names and templates; what is said nearer to the operation wins. The target's own go to it alone."""
    headers = {
        "host": ("Host", origin.authority),
        "user-agent": ("User-Agent", USER_AGENT),
        "accept": ("Accept", "*/*"),
        "accept-encoding": ("Accept-Encoding", "gzip, deflate"),
    }
    if body.content_type:
        headers["content-type"] = ("Content-Type", body.content_type)
    layers: list[Mapping[str, str]] = [{} if spec.service else target.headers, spec.headers]
    for layer in layers:
        headers |= {name.lower(): (name, value) for name, value in layer.items()}
    if _auth(spec, target):
        headers.pop("authorization", None)
    return dict(headers.values())


def _auth(spec: OperationSpec, target: TargetSpec) -> str:
    """The template of the credentials: the operation's own, else its service's, else none."""
    if spec.auth or not spec.service:
        return spec.auth
    named = any(name.lower() == "authorization" for name in spec.headers)
    return "" if named else target.services[spec.service].auth


def _header_block(headers: Mapping[str, str], known: Collection[str] | None) -> Iterator[Piece]:
    for name, template in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
            raise ConfigurationError(f"header {name!r} cannot be set")
        yield from (f"{name}: ", *_header_value(name, split_text(template, known)), "\r\n")


def _authorization(spec: OperationSpec, target: TargetSpec, *, known: Collection[str] | None) -> list[Piece]:
    auth = _auth(spec, target)
    if not auth:
        return []
    credentials = _header_value("Authorization", split_text(auth, known))
    return ["Authorization: ", _with_scheme(Text(credentials)), "\r\n"]


def _header_value(name: str, pieces: list[Piece]) -> list[Piece]:
    try:
        return map_pieces(pieces, literal=_one_line, hole=_one_line)
    except RenderError as error:
        raise ConfigurationError(f"header {name!r}: {error}") from error


def _with_scheme(text: Text) -> Piece:
    if text.constant is not None:
        return _bearer(text.constant)
    render = text.render
    return lambda scope: _bearer(render(scope))


def _bearer(credentials: str) -> str:
    return credentials if " " in credentials else f"Bearer {credentials}"


def _one_line(value: Any) -> str:
    text = as_text(value)
    if _BREAKS_LINE.search(text):
        raise RenderError("a value for a header holds a line break or control character")
    return text


def _builder(method: str, origin: Origin, *, head: Text, body: Body) -> Callable[[Scope], Request]:
    announced = method in _METHODS_WITH_BODY
    if head.constant is not None and body.constant is not None:
        always = _assemble(origin, method, head=head.constant, body=body.constant, announced=announced)
        return lambda scope: always  # noqa: ARG005 - the shape of every build
    render_head, render_body, fixed_body = head.render, body.render, body.constant

    def build(scope: Scope) -> Request:
        content = render_body(scope) if fixed_body is None else fixed_body
        return _assemble(origin, method, head=render_head(scope), body=content, announced=announced)

    return build


def _assemble(origin: Origin, method: str, *, head: str, body: bytes, announced: bool) -> Request:
    data = head.encode("utf-8", "replace")
    if body or announced:
        data = b"%bContent-Length: %d\r\n" % (data, len(body))
    return Request(origin, method, data, body)
