"""The body of an answer, unpacked within a bound; what is wrong with it is an error of the exchange."""

from __future__ import annotations

from collections.abc import Sequence

from campaign.load.failure import ExchangeError
from campaign.load.streams import Stream
from campaign.load.tally import ErrorKind
from campaign.target.inflate import BodyError, inflate


def decode(chunks: Sequence[bytes], headers: Sequence[tuple[bytes, bytes]], *, limit: int) -> bytes:
    """The body as its sender meant it, at most `limit` bytes. Raises ExchangeError.

    `headers` have names in lower case. Of a stream that we left, what there is.
    """
    encodings = ",".join(value.decode("latin-1") for name, value in headers if name == b"content-encoding")
    whole = not (isinstance(chunks, Stream) and chunks.left)
    try:
        return inflate(b"".join(chunks), encodings, limit=limit, whole=whole)
    except BodyError as error:
        raise ExchangeError(ErrorKind.PROTOCOL, str(error), answered=True) from None
