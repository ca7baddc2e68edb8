"""Compressed bodies, unpacked within a bound however far a hostile one would swell."""

from __future__ import annotations

import zlib

from campaign.errors import CampaignError

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # zlib finds out by itself which of the two it is
_BARE = -zlib.MAX_WBITS
_WINDOW = {"gzip": _GZIP_OR_ZLIB, "x-gzip": _GZIP_OR_ZLIB, "deflate": _GZIP_OR_ZLIB}


class BodyError(CampaignError):
    """A body that is too large or not what its Content-Encoding says; to a caller that is data."""

    slug = "body"
    exit_code = 3


def inflate(body: bytes, encodings: str, *, limit: int, whole: bool = True) -> bytes:
    """The body as its sender meant it, at most `limit` bytes, never holding more. Raises BodyError.

    `encodings` is the value of Content-Encoding: gzip and deflate, several in a row too (RFC 9110, 8.4).
    Without `whole` it may end too early.
    """
    names = [name.strip().lower() for name in encodings.split(",")]
    for name in reversed(names):
        if name not in ("", "identity"):
            body = _inflate(body, name, limit=limit, whole=whole)
    if len(body) > limit:
        raise BodyError(f"body larger than {limit} bytes")
    return body


class Inflater:
    """Unpacks a body that comes in pieces, to look into it on the way. Raises BodyError."""

    __slots__ = ("_layers",)

    MOST = 2**20
    """Bytes that one piece may become."""

    def __init__(self, encodings: str) -> None:
        names = [name.strip().lower() for name in encodings.split(",")]
        self._layers = [_Layer(name) for name in reversed(names) if name not in ("", "identity")]

    def feed(self, piece: bytes) -> bytes:
        """What this piece makes readable."""
        for layer in self._layers:
            piece = layer.feed(piece, self.MOST)
        return piece


class _Layer:
    __slots__ = ("_inflater", "_name")

    def __init__(self, name: str) -> None:
        if name not in _WINDOW:
            raise BodyError(f"content-encoding {name[:40]!r} cannot be read")
        self._name = name
        self._inflater: zlib._Decompress | None = None

    def feed(self, piece: bytes, most: int) -> bytes:
        if self._inflater is None:
            bare = self._name == "deflate" and not _has_zlib_header(piece)
            self._inflater = zlib.decompressobj(_BARE if bare else _WINDOW[self._name])
        try:
            plain = self._inflater.decompress(piece, most)
        except zlib.error as error:
            raise BodyError(f"the body is not {self._name}") from error
        if self._inflater.unconsumed_tail:
            raise BodyError(f"a piece of the body larger than {most} bytes")
        return plain


def _inflate(body: bytes, name: str, *, limit: int, whole: bool) -> bytes:
    if name not in _WINDOW:
        raise BodyError(f"content-encoding {name[:40]!r} cannot be read")
    inflater = zlib.decompressobj(
        _BARE if name == "deflate" and not _has_zlib_header(body) else _WINDOW[name]
    )
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise BodyError(f"the body is not {name}") from error
    if whole and body and not inflater.eof and len(plain) <= limit:
        raise BodyError(f"the {name} body ends too early")
    return plain


def _has_zlib_header(body: bytes) -> bool:
    # RFC 1950: method 8, and the first two bytes are a multiple of 31. Some servers send bare RFC 1951.
    return len(body) > 1 and body[0] & 15 == zlib.DEFLATED and (body[0] << 8 | body[1]) % 31 == 0
