"""The phase's evidence: one scenario after the other, each recorded before the next begins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import read_address
from campaign.database.server import Server, open_server, tag_of
from campaign.errors import CampaignError, RefusedError
from campaign.faults.breaker import PROCESS, Breaker, GuardianChoice, open_breaker
from campaign.phase import PhaseContext
from campaign.records import NOT_RESTORED
from campaign.target.guard import is_production
from phases.failover.acts import maker
from phases.failover.choice import Chosen, choose, means_of, seconds_of
from phases.failover.measure import PLAN, SCENARIOS, measure, measurements
from phases.failover.people import people
from phases.failover.scenario import Scenario
from phases.failover.scene import Scene
from phases.failover.settings import FailoverSettings, GuardianContainer
from phases.failover.story import Story
from phases.failover.ways import split_address

REST = "rest"
"""The fact that says why the scenarios that were not reached were not."""

INTERRUPTED = "the campaign was interrupted before it"
BROKEN = "an earlier fault could not be put back, and nothing more was broken"


async def run_scenarios(context: PhaseContext) -> None:
    """Run every scenario that can run, in the order of the file, until one leaves the target broken.

    Raises CampaignError where none can even begin: no guardian, another campaign at this target.
    """
    settings: FailoverSettings = context.settings
    if is_production(context.target.environment):
        raise RefusedError(f"nothing is broken on purpose in {context.target.environment}")
    chosen = choose(context.target, settings)
    _record_plan(context, chosen)
    able = [each for each in chosen if not each.why]
    if not able:
        return
    unrestored: list[dict[str, Any]] = []
    context.record.fact(REST, "it was never reached")
    try:
        async with _breaker(context, unrestored) as breaker:
            await _run_all(context, able, breaker)
    finally:
        if unrestored:
            context.record.fact(NOT_RESTORED, unrestored)


async def _run_all(context: PhaseContext, able: list[Chosen], breaker: Breaker) -> None:
    settings: FailoverSettings = context.settings
    async with AsyncExitStack() as stack:
        for name, route in settings.routes.items():
            await breaker.routes.open(name, split_address(route.listen), split_address(route.to))
        means = means_of(context.target, settings, breaker.routes)
        scene = Scene(
            context,
            settings,
            breaker,
            maker(means, context.clock),
            await stack.enter_async_context(people(context, _operations(settings, context))),
            await stack.enter_async_context(_database(context)),
        )
        whole = seconds_of(able, settings) or 1.0
        figures: list[dict[str, Any]] = []
        for each in able:
            if context.stop.requested:
                context.record.fact(REST, INTERRUPTED)
                return
            scene.part = seconds_of([each], settings) / whole
            story = await _run(scene, each, figures)
            scene.share += scene.part
            if not all(strike.restored for strike in story.strikes):
                context.record.fact(REST, BROKEN)
                return
        context.record.fact(REST, "")


async def _run(scene: Scene, chosen: Chosen, figures: list[dict[str, Any]]) -> Story:
    """The story of a scenario, recorded, also where it broke off."""
    try:
        scenario = Scenario(scene, chosen)
    except OSError as error:
        raise RefusedError(f"the ledger of writes cannot be made: {error.strerror}") from error
    try:
        story = await scenario.run()
    except BaseException:
        _record(scene.context, scenario.story(), figures)
        raise
    _record(scene.context, story, figures)
    return story


def _record_plan(context: PhaseContext, chosen: tuple[Chosen, ...]) -> None:
    """What will run, and what is left out and why."""
    context.record.fact(
        PLAN, [{"name": each.name, "title": each.form.title, "why": each.why} for each in chosen]
    )
    for each in chosen:
        if each.why:
            context.record.note(f"{each.form.title} was left out: {each.why}.")


def _record(context: PhaseContext, story: Story, figures: list[dict[str, Any]]) -> None:
    told = measure(story)
    figures.append(told)
    context.record.fact(SCENARIOS, figures)
    for each in measurements(told):
        context.record.measurement(each)
    for note in story.notes:
        context.record.note(f"{story.title}: {note}.")


@asynccontextmanager
async def _breaker(context: PhaseContext, unrestored: list[dict[str, Any]]) -> AsyncIterator[Breaker]:
    """The breaker; what it could not put back is in `unrestored` once the block is left."""
    settings: FailoverSettings = context.settings
    breaker: Breaker | None = None
    try:
        async with open_breaker(
            target_url=context.target.url,
            run=str(context.workdir.parent.parent),
            clock=context.clock,
            guardian=_guardian(settings),
            most_at_once=settings.at_once,
            longest=settings.longest,
            total=settings.total,
            notify=context.record.note,
        ) as breaker:
            yield breaker
    finally:
        if breaker is not None:
            unrestored.extend(each.as_fact() for each in breaker.unrestored)


def _guardian(settings: FailoverSettings) -> GuardianChoice:
    if isinstance(settings.guardian, GuardianContainer):
        return GuardianChoice(image=settings.guardian.container, engine=settings.engine)
    return PROCESS


@asynccontextmanager
async def _database(context: PhaseContext) -> AsyncIterator[Server | None]:
    """The target's database, to look behind the API; None, and a note, where it does not let us."""
    url = context.target.stores.get("database", "")
    server = None
    if url:
        try:
            server = await asyncio.to_thread(open_server, read_address(url), tag=tag_of("failover"))
        except CampaignError as error:
            context.record.note(f"Nothing was looked up in the database: {error}.")
    try:
        yield server
    finally:
        if server is not None:
            with suppress(SQLAlchemyError, OSError):
                await asyncio.to_thread(server.close)


def _operations(settings: FailoverSettings, context: PhaseContext) -> Iterator[str]:
    """Every operation that somebody may do."""
    probes, writes = settings.probes, settings.writes
    del context
    yield from (*probes.start, *(probes.read or ("health",)))
    yield from (each for each in (probes.session, probes.in_flight) if each)
    if writes is not None:
        yield from (each for each in (writes.operation, writes.read) if each)
    yield from (each.read for each in settings.consistency.same)
