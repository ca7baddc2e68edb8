"""What happens around every request: measuring, the access log, the size limit, the last resort.

Plain ASGI callables: the convenient BaseHTTPMiddleware would cost a task and two streams per request.
"""

import json
import logging
import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from campaign.demo.metrics import Metrics
from campaign.demo.problems import Problem, TooLargeError

log = logging.getLogger("teddy")
access = logging.getLogger("teddy.access")

UNKNOWN_ROUTE = "unknown"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Observation:
    """Counts and times each answer, and turns a crash into a plain 500.

    Metrics and log know a request by its route's template, so no identifier and no word of a user gets
    into them.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, bodies: bool = False) -> None:
        self._app = app
        self._metrics = metrics
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        heard: list[bytes] = []
        try:
            await self._app(scope, _overheard(receive, heard) if self._bodies else receive, noting)
        except Exception:
            log.exception("a request crashed")
            if not status:
                await _send_problem(noting, Problem("something went wrong on our side"))
        finally:
            self._note(scope, status=status, seconds=time.perf_counter() - began, heard=heard)

    def _note(self, scope: Scope, *, status: int, seconds: float, heard: list[bytes]) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", UNKNOWN_ROUTE)
        self._metrics.answered(method, route, status=status, seconds=seconds)
        if access.isEnabledFor(logging.INFO):
            access.info("%s %s %d %.1f ms", method, route, status, seconds * 1000)
            if heard:
                access.info("body %s", b"".join(heard).decode("utf-8", "replace"))


def _overheard(receive: Receive, heard: list[bytes]) -> Receive:
    """The defect `pii-in-logs`: what is received is kept for the log."""

    async def keeping() -> Message:
        message = await receive()
        if body := message.get("body"):
            heard.append(body)
        return message

    return keeping


class BodyLimit:
    """Refuses request bodies over `most_bytes`, announced or not."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on unless it is too large."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length")
        if announced is None:
            await self._app(scope, self._counting(receive), send)
        elif announced.isdigit() and int(announced) <= self._most_bytes:
            await self._app(scope, receive, send)
        else:
            await _send_problem(send, self._refusal())

    def _counting(self, receive: Receive) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most_bytes:
                raise HTTPException(TooLargeError.status, self._refusal().message)
            return message

        return counted

    def _refusal(self) -> TooLargeError:
        return TooLargeError(f"a request body may have at most {self._most_bytes} bytes")


async def _send_problem(send: Send, problem: Problem) -> None:
    body = json.dumps(problem.document()).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
