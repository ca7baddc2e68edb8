"""Request bodies: what makes their bytes, and what Content-Type says of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import blake2s
from pathlib import Path
from urllib.parse import quote_plus

from campaign.errors import ConfigurationError
from campaign.target.scope import RenderError, Scope
from campaign.target.spec import BodySpec, PartSpec
from campaign.target.template import Piece, Text, as_text, compile_json, compile_text, map_pieces, split_text


@dataclass(frozen=True, slots=True)
class Body:
    """`render(scope)` makes the bytes; `constant` holds them where they are always the same."""

    content_type: str
    render: Callable[[Scope], bytes]
    constant: bytes | None


NOTHING = Body("", lambda scope: b"", b"")  # noqa: ARG005 - the shape of every body
"""No body at all."""


def compile_body(spec: BodySpec, known: Collection[str] | None = None) -> Body:
    """What makes the body that `spec` describes.

    Raises TemplateError, and ConfigurationError for a file that cannot be read.
    """
    if spec.has_json:
        json = compile_json(spec.json, known)
        return Body("application/json", json.render, json.constant)
    if spec.form:
        return _from_text("application/x-www-form-urlencoded", _form(spec, known))
    if spec.multipart:
        return _multipart(spec.multipart, known)
    if spec.raw:
        return _from_text("text/plain; charset=utf-8", compile_text(spec.raw, known))
    return NOTHING


def _from_text(content_type: str, text: Text) -> Body:
    render = text.render
    constant = None if text.constant is None else _utf8(text.constant)
    return Body(content_type, lambda scope: _utf8(render(scope)), constant)


def _form(spec: BodySpec, known: Collection[str] | None) -> Text:
    pieces: list[Piece] = []
    for name, value in spec.form.items():
        pieces.append(f"{'&' if pieces else ''}{quote_plus(name)}=")
        pieces += map_pieces(split_text(value, known), literal=quote_plus, hole=_form_value)
    return Text(pieces)


def _form_value(value: object) -> str:
    return quote_plus(as_text(value), errors="replace")


def _multipart(parts: tuple[PartSpec, ...], known: Collection[str] | None) -> Body:
    boundary = "campaign-" + blake2s(repr(parts).encode(), digest_size=12).hexdigest()
    delimiter = f"--{boundary}".encode()
    compiled = [(_part_head(part, known), _part_content(part, known)) for part in parts]

    def render(scope: Scope) -> bytes:
        pieces = []
        for head, content in compiled:
            data = content(scope)
            if delimiter in data:
                raise RenderError("a part of the multipart body holds the boundary between parts")
            pieces += [delimiter, b"\r\n", _utf8(head.render(scope)), b"\r\n\r\n", data, b"\r\n"]
        return b"".join([*pieces, delimiter, b"--\r\n"])

    return Body(f"multipart/form-data; boundary={boundary}", render, None)


def _part_head(part: PartSpec, known: Collection[str] | None) -> Text:
    filename = part.filename or Path(part.file).name
    pieces: list[Piece] = [f'Content-Disposition: form-data; name="{_quoted(part.name)}"']
    if filename:
        named = map_pieces(split_text(filename, known), literal=_quoted, hole=_quoted_value)
        pieces += ['; filename="', *named, '"']
    content_type = part.content_type or ("application/octet-stream" if filename else "")
    return Text([*pieces, f"\r\nContent-Type: {content_type}" if content_type else ""])


def _part_content(part: PartSpec, known: Collection[str] | None) -> Callable[[Scope], bytes]:
    if not part.file:
        render = compile_text(part.text, known).render
        return lambda scope: _utf8(render(scope))
    try:
        content = Path(part.file).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"part {part.name!r}: {part.file} cannot be read: {error.strerror}"
        ) from error
    return lambda scope: content  # noqa: ARG005 - the shape of every content


def _quoted(text: str) -> str:
    # How browsers write names in multipart headers (HTML standard, "multipart/form-data encoding algorithm").
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _quoted_value(value: object) -> str:
    return _quoted(as_text(value))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
