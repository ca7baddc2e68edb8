"""The same from Python: `campaign.run(file) -> CampaignResult`, and `campaign.stop()` from another thread."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from campaign.config.read import read
from campaign.records import CampaignResult
from campaign.registry import installed
from campaign.runner.campaign import Finished, Options, run_campaign
from campaign.runner.interrupt import Interrupt

T = TypeVar("T")
Overrides = Mapping[tuple[str | int, ...], tuple[Any, str]]
"""A key such as `("target", "url")` -> the value, and the name to blame in a message."""

_running: list[tuple[asyncio.AbstractEventLoop, Interrupt]] = []


def run(
    file: str | Path,
    *,
    overrides: Overrides | None = None,
    options: Options | None = None,
) -> CampaignResult:
    """The result of the campaign in `file`; its reports lie in a new folder below `options.output`.

    `overrides` maps a key such as `("target", "url")` to a value and the name to blame in a message. Blocks
    until the end; Ctrl-C ends it cleanly. Raises ConfigurationError, RefusedError and ReportError.
    """
    return run_to_end(Path(file), overrides=overrides, options=options).result


def run_to_end(
    file: Path,
    *,
    overrides: Overrides | None = None,
    options: Options | None = None,
) -> Finished:
    """As `run`, with the folder of the reports too."""
    registry = installed()
    campaign = read(file, phases=registry.infos(), overrides=overrides or {}, environ=os.environ)
    interrupt = Interrupt()

    async def whole() -> Finished:
        entry = (asyncio.get_running_loop(), interrupt)
        _running.append(entry)
        try:
            return await run_campaign(
                campaign, registry.phases, options=replace(options or Options()), interrupt=interrupt
            )
        finally:
            _running.remove(entry)

    return run_loop(whole())


def stop() -> None:
    """Ask every campaign that runs in this process to end cleanly; a second call insists."""
    for loop, interrupt in tuple(_running):
        loop.call_soon_threadsafe(interrupt)


def run_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result, on uvloop where there is one."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(coroutine)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - only where it exists

    return uvloop.new_event_loop
