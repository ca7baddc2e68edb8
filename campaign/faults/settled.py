"""Blocking calls from async code that come to their end even when nobody waits for them any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def settled(call: Callable[[], T]) -> T:
    """What the call gives, from a thread. It must end by itself, by a time-out of its own.

    A call that changes something cannot be taken back half way: where the task is cancelled, also more than
    once, its end is waited for, and only then is the cancellation passed on. So nothing breaks after healing.
    """
    work = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        with suppress(Exception):
            work.result()
        raise
