"""The control-plane client: health, set-up and probes, at up to a few hundred requests per second.

Never used for load: httpx costs a hundred times what our own transport does and would measure itself.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from campaign.errors import ConfigurationError, TargetUnreachableError
from campaign.target.guard import Guard
from campaign.target.guarded import GuardedTransport
from campaign.target.inflate import BodyError, inflate
from campaign.target.operation import USER_AGENT
from campaign.target.origin import split_url
from campaign.target.request import Request
from campaign.target.spec import OptionsSpec, TargetSpec
from campaign.target.tls import tls_context
from campaign.units import format_quantity

_OK = range(200, 300)
_SERVER_ERROR = 500
_HEALTH_PATIENCE = 5.0
_OURS = frozenset({"host", "content-length"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in lower case, the body unpacked; `problem` says why a body is missing."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Whether the target is there and well; `detail` is a few words, `server` what it calls itself."""

    ok: bool
    detail: str
    status: int | None = None
    server: str = ""


class ControlClient:
    """Sends single requests to what the guard allows, redirects included. Use as an async context manager."""

    def __init__(self, target: TargetSpec, guard: Guard, *, options: OptionsSpec | None = None) -> None:
        self._origin, self._prefix = split_url(target.url)
        self._headers = {"user-agent": USER_AGENT, "accept-encoding": "gzip, deflate", **target.headers}
        self._options = options or OptionsSpec()
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(guard, tls_context(target.tls), target),
            timeout=self._options.timeout,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """The target's answer to a request for `path` (beginning with /), redirects followed.

        Raises TargetUnreachableError where no whole answer came, and RefusedError.
        """
        url = f"{self._origin}{self._prefix.rstrip('/')}{path}"
        return await self._answer(
            _build(method, url, headers={**self._headers, **(headers or {})}, content=content)
        )

    async def send(self, request: Request) -> Answer:
        """The answer to a request that an operation built. Raises as `request` does."""
        lines = request.head.decode("utf-8", "replace").split("\r\n")[1:]
        pairs = (line.split(": ", 1) for line in lines if line)
        headers = {name: value for name, value in pairs if name.lower() not in _OURS}
        url = f"{request.origin}{request.target}"
        return await self._answer(_build(request.method, url, headers=headers, content=request.body))

    async def _answer(self, request: httpx.Request) -> Answer:
        try:
            async with asyncio.timeout(self._options.timeout):
                return await self._follow(request)
        except (httpx.TimeoutException, TimeoutError) as error:
            patience = format_quantity(self._options.timeout, "s")
            raise TargetUnreachableError(f"no whole answer within {patience}") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict) as error:
            raise TargetUnreachableError(explain(error)) from error

    async def _follow(self, first: httpx.Request) -> Answer:
        request: httpx.Request | None = first
        for _ in range(self._options.redirects + 1):
            if request is None:
                break
            # httpx would read all of a redirect's body before it goes on, however large; we read none.
            response = await self._client.send(request, stream=True)
            try:
                request = response.next_request
                if request is None or not self._options.redirects:
                    return await self._read(response)
            finally:
                await response.aclose()
        raise TargetUnreachableError(f"redirected more than {self._options.redirects} times")

    async def _read(self, response: httpx.Response) -> Answer:
        headers = dict(response.headers.items())
        try:
            body = await self._body(response)
        except BodyError as error:
            return Answer(response.status_code, headers, problem=str(error))
        return Answer(response.status_code, headers, body)

    async def _body(self, response: httpx.Response) -> bytes:
        limit = self._options.max_body
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > limit:
                raise BodyError(f"body larger than {limit} bytes")
        return inflate(bytes(body), response.headers.get("content-encoding", ""), limit=limit)


async def health(target: TargetSpec) -> HealthReport:
    """How the target answers its health request; without one, any answer below 500 to `GET /` will do.

    Raises RefusedError where the guard does not let us ask.
    """
    method, path = _health_request(target)
    options = OptionsSpec(timeout=_HEALTH_PATIENCE, max_body=2**20)
    try:
        async with ControlClient(target, Guard(target.allow_hosts), options=options) as client:
            answer = await client.request(method, path)
    except TargetUnreachableError as error:
        return HealthReport(ok=False, detail=f"{method} {path}: {error}")
    well = answer.status in _OK if target.health else answer.status < _SERVER_ERROR
    server = answer.headers.get("server", "")
    return HealthReport(
        well, f"{method} {path} answered {answer.status}", status=answer.status, server=server
    )


def _health_request(target: TargetSpec) -> tuple[str, str]:
    method, _, path = (target.health or "GET /").partition(" ")
    if not path.startswith("/"):
        raise ConfigurationError(f"health {target.health!r} is not a request such as GET /health")
    return method, path


def _build(method: str, url: str, *, headers: Mapping[str, str], content: bytes) -> httpx.Request:
    return httpx.Request(method, url, headers=dict(headers), content=content or None)


def explain(error: BaseException) -> str:
    """A few words on why no answer came, from the deepest cause that the system gives a reason for."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {cause.verify_message}"
    reasons = [os.strerror(cause.errno) for cause in causes if isinstance(cause, OSError) and cause.errno]
    return reasons[-1].lower() if reasons else str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
