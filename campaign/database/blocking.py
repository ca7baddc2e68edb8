"""Blocking work on a database in a thread, which the server is told to end when its time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from campaign.database.server import Server
from campaign.database.sessions import interrupt_own

Given = TypeVar("Given")

ANEW = 0.5
"""Seconds after which the server is told again, where the work goes on."""


async def until_over(
    server: Server | None,
    over: Coroutine[Any, Any, Any],
    function: Callable[..., Given],
    /,
    *args: Any,
    **options: Any,
) -> Given:
    """What the function gives, run in a thread. Once `over` has come to its end, or we are cancelled, the
    server is told to cancel what our sessions do, so that the function raises soon.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **options))
    end = asyncio.ensure_future(over)
    try:
        await asyncio.wait({work, end}, return_when=asyncio.FIRST_COMPLETED)
        while not work.done():
            await interrupted(server)
            await asyncio.wait({work}, timeout=ANEW)
        return await work
    except asyncio.CancelledError:
        await asyncio.shield(interrupted(server))
        raise
    finally:
        end.cancel()


async def interrupted(server: Server | None) -> None:
    """Tell the server to cancel what our sessions do; one that cannot be asked ends it in its own time."""
    if server is not None:
        with suppress(Exception):
            await asyncio.to_thread(interrupt_own, server)
