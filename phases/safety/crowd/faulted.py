"""One fault while the crowd is there: made, held, put back, and told with its proof."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass

from campaign.clock import SECOND
from campaign.errors import CampaignError
from campaign.faults.breaker import Breaker, open_breaker
from campaign.faults.catalogue import make_fault
from campaign.faults.fault import Fault, FaultError
from campaign.faults.means import CommandMeans, FaultKind, Means, ProcessMeans
from campaign.phase import PhaseContext
from campaign.records import NOT_RESTORED
from campaign.target.origin import split_url
from phases.safety.crowd.settings import CrowdFault

MARGIN = 10.0
"""Seconds that the guardian waits on top of what the fault is to last, before it puts it back itself."""

TARGET = "target"


@dataclass(slots=True)
class Told:
    """What became of the fault. `began` and `ended` are seconds since the crowd came; `trouble` says why
    there was none, `missing` what does not prove it, `unrestored` what was not put back.
    """

    what: str = ""
    proof: str = ""
    missing: str = ""
    trouble: str = ""
    began: float | None = None
    ended: float | None = None
    unrestored: str = ""

    def plain(self) -> dict[str, object]:
        """As JSON data."""
        return asdict(self)


async def broken_meanwhile(context: PhaseContext, settings: CrowdFault, told: Told, *, after: float) -> None:
    """Make the fault `after` so many seconds, hold it, and put it back; never raises for what it comes to."""
    began = context.clock.now_ns()
    breaker: Breaker | None = None
    try:
        async with open_breaker(
            target_url=context.target.url,
            run=str(context.workdir.parent.parent),
            clock=context.clock,
            notify=context.record.note,
        ) as breaker:
            await _sleep(context, began + round(after * SECOND))
            if not context.stop.requested:
                await _strike(context, settings, breaker, told=told, began=began)
    except CampaignError as error:
        told.trouble = str(error)
    finally:
        if breaker is not None and breaker.unrestored:
            told.unrestored = "; ".join(each.what for each in breaker.unrestored)
            context.record.fact(NOT_RESTORED, [each.as_fact() for each in breaker.unrestored])


async def _strike(
    context: PhaseContext, settings: CrowdFault, breaker: Breaker, *, told: Told, began: int
) -> None:
    """Raises FaultError and RefusedError, then nothing is broken."""
    fault = fault_of(context, settings)
    struck = await breaker.strike(fault, seconds=settings.lasts + MARGIN)
    told.what = fault.describe()
    told.began = (struck.injected.confirmed_ns - began) / SECOND
    told.proof = struck.effect.detail if struck.effect.proved else ""
    told.missing = "" if struck.effect.proved else struck.effect.detail
    try:
        await _sleep(context, struck.injected.confirmed_ns + round(settings.lasts * SECOND))
    finally:
        healed = await breaker.heal(struck)
        told.ended = (healed.started_ns - began) / SECOND


async def _sleep(context: PhaseContext, until: int) -> None:
    """Return at that moment, or soon after the user stops the phase."""
    while context.clock.now_ns() < until and not context.stop.requested:
        await context.clock.sleep_until(min(until, context.clock.now_ns() + SECOND // 10))


def fault_of(context: PhaseContext, settings: CrowdFault) -> Fault:
    """The fault that the file names. Raises FaultError where nothing can make it."""
    role = settings.on or TARGET
    if settings.command is not None:
        own = settings.command
        means = Means(command=CommandMeans(own.breaks, own.heal, own.check))
        return make_fault(FaultKind.STOP, role=role, means=means, clock=context.clock)
    if settings.on:
        container = context.target.containers.get(settings.on)
        if container is None:
            raise FaultError(f"crowd.during_fault.on: the target has no container {settings.on!r}")
        means = Means(container=container)
        return make_fault(FaultKind(settings.kind), role=role, means=means, clock=context.clock)
    means = Means(process=ProcessMeans(port=_own_port(context.target.url)))
    return make_fault(FaultKind.PAUSE, role=role, means=means, clock=context.clock)


def _own_port(url: str) -> int:
    """The port of a target on this machine. Raises FaultError where it is not."""
    origin, _ = split_url(url)
    with suppress(OSError, ValueError):
        if ipaddress.ip_address(socket.gethostbyname(origin.host)).is_loopback:
            return origin.port
    raise FaultError(
        f"the process of {url} is not on this machine: name a container (crowd.during_fault.on) or a command"
    )
