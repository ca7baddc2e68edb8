"""What the campaign file says under `transport`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from campaign.errors import ConfigurationError
from campaign.settings import Duration, Settings
from campaign.target.origin import split_url
from phases.safety.cast.settings import Operations, Words

DAY = 86_400.0


def _plain(url: str) -> str:
    try:
        origin, _ = split_url(url)
    except ConfigurationError as error:
        raise PydanticCustomError("plain", "is not {allowed}", {"allowed": "a URL: http://host"}) from error
    if origin.secure:
        raise PydanticCustomError("plain", "is not {allowed}", {"allowed": "a URL that begins with http://"})
    return url


def _absolute(paths: tuple[str, ...]) -> tuple[str, ...]:
    named = tuple(path for path in paths if path)
    if any(not path.startswith("/") for path in named):
        raise PydanticCustomError("logs", "needs {allowed}", {"allowed": "absolute paths of this machine"})
    return named


class TransportSettings(Settings):
    """The way to the target. A fresh principal of `role` (the first in the file, where none is named) does
    `operations`; their answers, and what is provoked with them, are looked at.

    `plain` is where plain http must lead to https (port 80 of the same host). `certificate` is how long it
    must still be good, `hsts` the least max-age. `readable` are cookies that scripts must read, which need no
    HttpOnly. `logs` are files on this machine into which the target writes its access log.
    """

    role: str = ""
    operations: Operations = ()
    plain: Annotated[str, AfterValidator(_plain)] | None = None
    certificate: Annotated[Duration, Field(ge=0)] = 14 * DAY
    hsts: Annotated[Duration, Field(gt=0)] = 180 * DAY
    readable: Words = ()
    logs: Annotated[Words, AfterValidator(_absolute)] = ()
