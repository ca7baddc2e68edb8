"""What a principal hears over a WebSocket: a whole short conversation as one answer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from campaign.target.guard import Guard
from campaign.target.http import Answer
from campaign.target.operation import Operation
from campaign.target.request import Request
from campaign.target.scope import Scope

SILENCE = 0.3
"""Seconds without a message after which nothing more is waited for."""

MOST = 20
"""Messages that are listened to."""


async def converse(
    operation: Operation,
    request: Request,
    scope: Scope,
    *,
    headers: Mapping[str, str],
    guard: Guard,
    tls: ssl.SSLContext,
) -> Answer | str:
    """All that was heard as one answer (status 101, or that of the refusal); a text where there was none.

    Raises RefusedError where the host may not get traffic.
    """
    try:
        async with await dial(request, headers=headers, guard=guard, tls=tls) as socket:
            heard = await _listen(socket, operation, scope)
    except InvalidStatus as error:
        return Answer(error.response.status_code, {}, bytes(error.response.body or b""))
    except (InvalidHandshake, WebSocketException, OSError, TimeoutError) as error:
        return f"{type(error).__name__}: {error}"
    return Answer(101, {}, heard)


async def dial(
    request: Request, *, headers: Mapping[str, str], guard: Guard, tls: ssl.SSLContext
) -> ClientConnection:
    """The open socket, which the caller closes.

    Raises RefusedError where the host may not get traffic, OSError, TimeoutError, and what websockets does.
    """
    origin = request.origin
    addresses = await guard.resolve(origin.host, origin.port)
    if not addresses:
        raise OSError(f"host {origin.host} has no address")
    uri = f"{'wss' if origin.secure else 'ws'}://{origin.authority}{request.target}"
    return await connect(
        uri,
        host=addresses[0].ip,
        port=origin.port,
        additional_headers=dict(headers),
        open_timeout=10,
        close_timeout=2,
        proxy=None,
        ssl=tls if origin.secure else None,
    )


async def _listen(socket: ClientConnection, operation: Operation, scope: Scope) -> bytes:
    """Say what the operation says, and collect what comes."""
    script = operation.script
    heard: list[bytes] = []
    try:
        for _ in range(script.messages if script else 0):
            await socket.send((script.message(scope) if script else b"").decode("utf-8", "replace"))
        while len(heard) < MOST:
            async with asyncio.timeout(SILENCE):
                message = await socket.recv()
            heard.append(message.encode() if isinstance(message, str) else message)
    except (TimeoutError, WebSocketException):
        pass
    reason = socket.close_reason or ""
    return b"\n".join((*heard, reason.encode()))
