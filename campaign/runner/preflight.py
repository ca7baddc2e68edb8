"""What is asked before anything is sent in earnest: may this target get traffic, and is it there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from campaign.clock import SECOND, Clock
from campaign.errors import ConfigurationError
from campaign.phase import Prepared
from campaign.records import Reason, ReasonKind
from campaign.runner.plan import Step
from campaign.target.guard import Guard
from campaign.target.http import HealthReport, health
from campaign.target.spec import TargetSpec

PATIENCE = 3.0
"""Seconds for a target that is just starting; asked a few times within them."""

PAUSE_NS = SECOND // 4

LOOK = 15.0
"""Seconds that a phase may take for its look at the target before the campaign."""


def urls_of(steps: Iterable[Step]) -> tuple[str, ...]:
    """What the phases that will run send requests to, besides the target."""
    return tuple(url for step in steps if step.left_out is None for url in step.settings.urls())


async def check_guard(target: TargetSpec, *, also: Iterable[str] = ()) -> None:
    """Return when every host of the target, and of the URLs in `also`, may get traffic. Raises RefusedError.

    A name that does not resolve is not refused: the target is then simply not there.
    """
    guard, way = Guard(target.allow_hosts), target.connection
    own = () if way.socket else (target.url,)  # a Unix socket is of this machine, whatever the URL says
    urls = (*own, *(service.url for service in target.services.values()), *also)
    check = guard.vet if way.proxy else guard.resolve
    for url in urls:
        await _check(check, url)
    for url in (way.proxy, *target.stores.values()):  # none of these is behind the proxy
        if url:
            await _check(guard.resolve, url)


async def _check(check: Callable[[str, int], Awaitable[object]], url: str) -> None:
    """Ask about the host of an URL; a file and a Unix socket have none."""
    parts = urlsplit(url)
    if not parts.hostname:
        return
    with suppress(OSError):
        await check(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


async def look_before(steps: Iterable[Step], target: TargetSpec) -> None:
    """Let the phases that will run look at the target before anything is sent to it.

    Raises ConfigurationError where one of them says that the campaign file is wrong.
    """
    for step in steps:
        if step.left_out is None and isinstance(step.phase, Prepared):
            try:
                async with asyncio.timeout(LOOK):
                    await step.phase.before(target)
            except ConfigurationError:
                raise
            except Exception:  # noqa: BLE001, S112 - it may be well again when its turn comes
                continue


async def find_target(target: TargetSpec, clock: Clock) -> tuple[HealthReport, Reason | None]:
    """What the target says of itself, and why nothing can be judged when it says nothing good."""
    give_up = clock.now_ns() + round(PATIENCE * SECOND)
    report = await health(target)
    while not report.ok and clock.now_ns() < give_up:
        await clock.sleep_until(clock.now_ns() + PAUSE_NS)
        report = await health(target)
    if report.ok:
        return report, None
    text = f"the target {target.url} cannot be judged: {report.detail}"
    return report, Reason(ReasonKind.TARGET_UNREACHABLE, text)
