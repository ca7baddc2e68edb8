"""The run of the user's own statements, and how the server answers each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from campaign.database.failure import failure_of
from campaign.database.plans import EXPLAIN_SECONDS, explain, missing_index
from campaign.database.server import Server
from campaign.database.sql import parameters
from campaign.load.luck import Luck
from campaign.load.outcome import LoadOutcome
from campaign.target.feeds import open_feeds
from campaign.target.scope import Scope
from phases.database.blocking import blocking
from phases.database.crosscheck import watched
from phases.database.pattern import Pattern
from phases.database.queries.settings import QuerySettings, planned_queries
from phases.database.running.drawing import drawing
from phases.database.running.figures import measurements, onlooker, plain
from phases.database.running.limits import ALL
from phases.database.running.run import run_patterns, work_on
from phases.database.running.trial import refused, told
from phases.database.scene import Scene

RUNNING = 0.8
"""The share of the part's time in which statements run; after that their plans are asked for."""

PLAN_SECONDS = 30.0
"""After so long no further plan is asked for."""


async def run_queries(scene: Scene) -> None:
    """Record what the database did with the statements, and then their plans."""
    server, queries = scene.server, scene.settings.queries
    if server is None:
        return
    everything = tuple(each.pattern(name) for name, each in queries.items())
    mistakes = await _mistakes(scene, server, everything)
    facts: dict[str, Any] = {"mistakes": mistakes}
    scene.context.record.fact("queries", facts)
    patterns = tuple(each for each in everything if each.name not in mistakes)
    if not patterns:
        return
    outcome, seen = await watched(server, patterns, lambda: _run(scene, patterns), guarded=True)
    facts |= plain(outcome, patterns)
    facts["server"] = seen
    for each in measurements(outcome, "queries", patterns):
        scene.context.record.measurement(each)
    scene.context.record.fact("queries", facts)
    facts["plans"] = _worth_reading(facts, await _plans(scene, server, patterns), queries)
    scene.context.record.fact("queries", facts)


async def _mistakes(scene: Scene, server: Server, patterns: tuple[Pattern, ...]) -> dict[str, Any]:
    """Of each statement that fails whenever it is run, what the server says of it; each is tried once."""
    settings = scene.settings.querying
    scene.tell("queries: each statement once")
    work = work_on(
        server, patterns, connections=1, timeout=settings.timeout, most_rows=settings.most_rows, guarded=True
    )
    return {name: told(failure) for name, failure in (await refused(scene, work)).items()}


def _worth_reading(
    facts: Mapping[str, Any], plans: dict[str, Any], queries: Mapping[str, QuerySettings]
) -> dict[str, Any]:
    """The plans; in full where an index is missing, of the slowest, and of what misses a limit on times."""
    times = {row["name"]: row["response"] for row in facts["patterns"] if row["name"] != ALL}
    slowest = max(times, key=lambda name: times[name]["mean"] or 0.0, default="")
    missed = {
        each.subject
        for each in planned_queries(queries)
        if each.subject in times
        and (times[each.subject].get(each.metric) or 0.0) > each.graded.limit.acceptable
    }
    for name, plan in plans.items():
        if name != slowest and name not in missed and not plan.get("missing"):
            plan["text"] = ""
    return plans


async def _run(scene: Scene, patterns: tuple[Pattern, ...]) -> LoadOutcome:
    settings = scene.settings.querying
    whole = settings.warm_up + settings.hold
    return await run_patterns(
        scene,
        patterns,
        name="queries",
        rate=settings.rate,
        users=None if settings.rate else settings.users,
        connections=settings.connections,
        hold=settings.hold,
        warm_up=settings.warm_up,
        timeout=settings.timeout,
        most_rows=settings.most_rows,
        guarded=True,
        on_second=onlooker(scene, "queries", what="statements", seconds=whole, ends=RUNNING),
    )


async def _plans(scene: Scene, server: Server, patterns: tuple[Pattern, ...]) -> dict[str, Any]:
    """The plan of each statement by its pattern's name, or why there is none."""
    until = time.monotonic() + PLAN_SECONDS
    asked = [each for each in patterns if each.statements]
    plans: dict[str, Any] = {}
    for at, pattern in enumerate(asked):
        if scene.stopping or time.monotonic() > until:
            break
        scene.tell(f"queries: the plan of {pattern.name}", RUNNING + (1 - RUNNING) * at / len(asked))
        plans[pattern.name] = await _plan(scene, server, pattern)
    return plans


async def _plan(scene: Scene, server: Server, pattern: Pattern) -> dict[str, Any]:
    """Asked with parameters drawn as in the run."""
    statement = pattern.statements[0]
    try:
        params = _drawn(scene, server, pattern)
        seconds = min(EXPLAIN_SECONDS, scene.settings.querying.timeout)
        plan = await blocking(scene, explain, server, statement.sql, params, seconds=seconds)
    except Exception as error:  # noqa: BLE001 - the other plans are worth having all the same
        return {"why": str(failure_of(error))}
    missing = missing_index(plan)
    data = plan.as_data()
    return {**data, "missing": missing.as_data() if missing else None, "read": _read(data)}


def _read(data: Mapping[str, Any]) -> int:
    return sum(int(each["read"]) for each in data["scans"])


def _drawn(scene: Scene, server: Server, pattern: Pattern) -> dict[str, Any]:
    """One set of parameters, as a first user draws them."""
    context, statement = scene.context, pattern.statements[0]
    names = parameters(statement.sql, server.kind)
    feeds = open_feeds(context.vocabulary.feeds, worker=0, workers=1)
    scope = Scope(1, seed=context.seed, feeds=feeds)
    values = drawing(names, statement.params)(Luck(context.seed, 1), scope)
    return dict(zip(names, values, strict=True))
