"""A client that hangs up: after most of a request, or after all of it and before the answer."""

from __future__ import annotations

import asyncio
import ssl

from campaign.errors import TargetUnreachableError
from campaign.target.guard import Guard
from campaign.target.request import Request
from campaign.target.spec import TargetSpec
from campaign.target.tls import tls_context

PATIENCE = 10.0
"""Seconds that sending may take."""


async def send_and_leave(request: Request, target: TargetSpec, *, without: int) -> int:
    """How many bytes of the body were sent before we broke the connection, all but the last `without`.

    Raises TargetUnreachableError where nothing could be sent, and RefusedError.
    """
    whole = request.wire()
    content = whole[: len(whole) - without]
    try:
        async with asyncio.timeout(PATIENCE):
            writer = await _connected(request, target)
            try:
                writer.write(content)
                await writer.drain()
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError) as error:
        raise TargetUnreachableError(f"nothing could be sent: {error}") from error
    return len(request.body) - without


async def _connected(request: Request, target: TargetSpec) -> asyncio.StreamWriter:
    origin = request.origin
    if target.connection.proxy:
        raise TargetUnreachableError("behind a proxy nobody sees that we hang up")
    if target.connection.socket:
        _, writer = await asyncio.open_unix_connection(target.connection.socket)
        return writer
    addresses = await Guard(target.allow_hosts).resolve(origin.host, origin.port)
    if not addresses:
        raise OSError(f"host {origin.host} has no address")
    tls: ssl.SSLContext | None = tls_context(target.tls) if origin.secure else None
    name = origin.host if tls else None
    _, writer = await asyncio.open_connection(addresses[0].ip, origin.port, ssl=tls, server_hostname=name)
    return writer
