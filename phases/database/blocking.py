"""Blocking calls on the database from a part, which do not outlive a phase that is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from campaign.database.sessions import interrupt_own
from phases.database.scene import Scene

Given = TypeVar("Given")


async def blocking(scene: Scene, function: Callable[..., Given], *args: Any, **options: Any) -> Given:
    """What the function gives, run in a thread. When the phase is to stop meanwhile, the server is told to
    cancel what our sessions do, so that the function raises soon.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **options))
    stop = asyncio.ensure_future(scene.context.stop.wait())
    try:
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done() and scene.server is not None:
            with suppress(Exception):  # a server that cannot be asked ends it in its own time
                await asyncio.to_thread(interrupt_own, scene.server)
        return await work
    finally:
        stop.cancel()
