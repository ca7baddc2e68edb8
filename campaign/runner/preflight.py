"""What is asked before anything is sent in earnest: may this target get traffic, and is it there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from urllib.parse import urlsplit

from campaign.clock import SECOND, Clock
from campaign.errors import ConfigurationError, RefusedError
from campaign.phase import Prepared, Situated
from campaign.records import Reason, ReasonKind
from campaign.runner.plan import Step
from campaign.target.guard import Guard
from campaign.target.http import HealthReport, health
from campaign.target.spec import TargetSpec

PATIENCE = 3.0
"""Seconds for a target that is just starting; asked a few times within them."""

NOTHING: Mapping[str, str] = MappingProxyType({})

PAUSE_NS = SECOND // 4

LOOK = 15.0
"""Seconds that a phase may take for its look at the target before the campaign."""


def urls_of(steps: Iterable[Step]) -> dict[str, str]:
    """What the phases that will run send requests to besides the target, by its key in the campaign file."""
    return {
        f"phases.{step.label}.{key}": url
        for step in steps
        if step.left_out is None
        for key, url in step.settings.urls().items()
    }


async def check_guard(target: TargetSpec, *, also: Mapping[str, str] = NOTHING) -> None:
    """Return when every host of the target, and of the URLs in `also` (by their keys), may get traffic.

    Raises RefusedError, which names the key. A name that does not resolve is not refused: the target is then
    simply not there.
    """
    guard = Guard(target.allow_hosts)
    check = guard.vet if target.connection.proxy else guard.resolve
    for key, url in (*_services(target), *also.items()):
        await _check(check, url, key=key)
    for key, url in _direct(target):
        await _check(guard.resolve, url, key=key)


def _services(target: TargetSpec) -> Iterator[tuple[str, str]]:
    """What answers HTTP, by key: through the proxy where there is one."""
    if not target.connection.socket:  # a Unix socket is of this machine, whatever the URL says
        yield "target.url", target.url
    yield from ((f"target.services.{name}", each.url) for name, each in target.services.items())


def _direct(target: TargetSpec) -> Iterator[tuple[str, str]]:
    """What is never behind the proxy, by key."""
    if target.connection.proxy:
        yield "target.proxy", target.connection.proxy
    yield from ((f"target.{name}", url) for name, url in target.stores.items())


async def _check(check: Callable[[str, int], Awaitable[object]], url: str, *, key: str) -> None:
    """Ask about the host of an URL; a file and a Unix socket have none."""
    parts = urlsplit(url)
    if not parts.hostname:
        return
    try:
        with suppress(OSError):
            await check(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
    except RefusedError as error:
        raise RefusedError(f"{key}: {error}") from error


async def look_before(steps: Iterable[Step], target: TargetSpec) -> None:
    """Let the phases that will run look at the target before anything is sent to it.

    Raises ConfigurationError where one of them says that the campaign file is wrong.
    """
    for step in steps:
        if step.left_out is None:
            await _look(step, target)


async def _look(step: Step, target: TargetSpec) -> None:
    for look in _looks(step, target):
        try:
            async with asyncio.timeout(LOOK):
                await look()
        except ConfigurationError:
            raise
        except Exception:  # noqa: BLE001, S112 - it may be well again when its turn comes
            continue


def _looks(step: Step, target: TargetSpec) -> Iterator[Callable[[], Awaitable[None]]]:
    phase = step.phase
    if isinstance(phase, Prepared):
        yield lambda: phase.before(target)
    if isinstance(phase, Situated):
        yield lambda: phase.verify(target, step.settings)


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
