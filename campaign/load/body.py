"""The body of an answer, unpacked within a bound; what is wrong with it is an error of the exchange."""

from __future__ import annotations

from collections.abc import Sequence

from campaign.load.failure import ExchangeError
from campaign.load.spec import ErrorKind
from campaign.target.inflate import BodyError, inflate


def decode(chunks: Sequence[bytes], headers: Sequence[tuple[bytes, bytes]], *, limit: int) -> bytes:
    """The body as its sender meant it, at most `limit` bytes. Raises ExchangeError.

    `headers` have names in lower case.
    """
    encodings = ",".join(value.decode("latin-1") for name, value in headers if name == b"content-encoding")
    try:
        return inflate(b"".join(chunks), encodings, limit=limit)
    except BodyError as error:
        raise ExchangeError(ErrorKind.PROTOCOL, str(error), answered=True) from None
