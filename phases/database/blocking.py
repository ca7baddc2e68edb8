"""Blocking calls on the database from a part, which do not outlive a phase that is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from campaign.database.blocking import until_over
from phases.database.scene import Scene

Given = TypeVar("Given")


async def blocking(scene: Scene, function: Callable[..., Given], *args: Any, **options: Any) -> Given:
    """What the function gives, run in a thread. When the phase is to stop meanwhile, the server is told to
    cancel what our sessions do, so that the function raises soon.
    """
    return await until_over(scene.server, scene.context.stop.wait(), function, *args, **options)
