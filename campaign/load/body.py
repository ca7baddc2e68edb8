"""The body of an answer, decompressed within a bound."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from campaign.load.failure import ExchangeError
from campaign.load.spec import ErrorKind

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32  # zlib finds out by itself which of the two it is
_BARE = -zlib.MAX_WBITS
_GZIP_NAMES = frozenset({"gzip", "x-gzip"})


def decode(chunks: Sequence[bytes], headers: Sequence[tuple[bytes, bytes]], *, limit: int) -> bytes:
    """The body as its sender meant it, at most `limit` bytes. Raises ExchangeError.

    `headers` have names in lower case; gzip and deflate are understood (RFC 9110 section 8.4), several in a
    row too.
    """
    body = b"".join(chunks)
    for encoding in reversed(_encodings(headers)):
        body = _inflate(body, encoding, limit=limit)
    return body


def _encodings(headers: Sequence[tuple[bytes, bytes]]) -> list[str]:
    values = ",".join(value.decode("latin-1") for name, value in headers if name == b"content-encoding")
    names = [each.strip().lower() for each in values.split(",")] if values else []
    return [name for name in names if name not in ("", "identity")]


def _inflate(data: bytes, encoding: str, *, limit: int) -> bytes:
    if encoding in _GZIP_NAMES:
        wbits = _GZIP_OR_ZLIB
    elif encoding == "deflate":
        wbits = _GZIP_OR_ZLIB if _has_zlib_header(data) else _BARE
    else:
        raise _unreadable(f"content-encoding {encoding[:40]!r} cannot be read")
    inflater = zlib.decompressobj(wbits)
    try:
        body = inflater.decompress(data, limit + 1)
    except zlib.error:
        raise _unreadable(f"the body is not {encoding}") from None
    if len(body) > limit:
        raise _unreadable(f"body larger than {limit} bytes")
    if data and not inflater.eof:
        raise _unreadable(f"the {encoding} body ends too early")
    return body


def _has_zlib_header(data: bytes) -> bool:
    # RFC 1950: method 8, and the first two bytes are a multiple of 31. Some servers send the bare stream of
    # RFC 1951.
    return len(data) > 1 and data[0] & 15 == zlib.DEFLATED and (data[0] << 8 | data[1]) % 31 == 0


def _unreadable(detail: str) -> ExchangeError:
    return ExchangeError(ErrorKind.PROTOCOL, detail, answered=True)
