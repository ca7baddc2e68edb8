"""What the service does with its connections: in a crowd, while statements wait, after requests that leak."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

from campaign.clock import SECOND
from campaign.database.address import Kind
from campaign.database.server import Server, Session
from campaign.database.sessions import foreign_sessions
from campaign.records import Measurement
from campaign.stats.histogram import Histogram
from campaign.stats.intervals import percentile_limits
from phases.database.scene import Scene
from phases.database.service.actor import SERVER_ERROR, Actor, Done
from phases.database.service.lock import held_lock
from phases.database.service.settings import CROWD_P95, Crowd, Leak, Waiting
from phases.database.service.slow import is_slow
from phases.database.service.watch import IN_TRANSACTION, watching

QUIET = 2.5
"""Seconds without traffic, after which a session that is still in a transaction was forgotten."""

STUCK = 1.5
"""Seconds in a transaction without a statement, from which on nobody is at work in it."""

FEW = 3
"""How often an operation is done before the first look at the server's list."""

GETTING_THERE = 0.5
"""Seconds that a request has to reach the lock that it is to wait for."""

PROBES = 2
P95 = 0.95
MICROSECONDS = 1_000_000


async def in_a_crowd(scene: Scene, people: list[Actor], asked: Crowd) -> dict[str, Any]:
    """Answers, times and the service's sessions while all `people` work at once."""
    clock = scene.context.clock
    until = clock.now_ns() + round(asked.seconds * SECOND)
    exchanges: list[Done] = []

    async def work(actor: Actor) -> None:
        while clock.now_ns() < until and not scene.stopping:
            actor.scope.next_iteration()
            for name in asked.operations:
                exchanges.append(await actor.patiently(name))  # noqa: PERF401 - one after the other

    async with watching(_listing(scene.server)) as watch:
        await asyncio.gather(*map(work, people))
    times = Histogram()
    times.record_many([round(each.seconds * MICROSECONDS) for each in exchanges])
    if exchanges:
        scene.context.record.measurement(p95_of(times))
    failed = [each for each in exchanges if each.status is None or each.status >= SERVER_ERROR]
    facts = {
        "users": len(people),
        "requests": len(exchanges),
        "failed": len(failed),
        "why": dict(Counter(f"{each.operation}: {each.why}" for each in failed).most_common(3)),
        "median": _seconds(times.percentile(0.5)),
        "p95": _seconds(times.percentile(P95)),
    }
    return facts | ({"sessions": watch.facts()} if watch.looks else {})


def p95_of(times: Histogram) -> Measurement:
    """The 95th percentile of a crowd's answers, with its limits."""
    low, high = map(_seconds, percentile_limits(times, P95))
    return Measurement(CROWD_P95, _seconds(times.percentile(P95)), "s", times.count, low, high)


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / MICROSECONDS


def _listing(server: Server | None) -> Server | None:
    """The server, if it has a list of sessions."""
    return None if server is None or server.kind is Kind.SQLITE else server


async def beside_waiting(scene: Scene, server: Server, people: list[Actor], asked: Waiting) -> dict[str, Any]:
    """Whether `beside` is answered while 1, 2, ... `operation`s wait; until it is not, or `at_once` waited.

    `people` are one more than may wait at once.
    """
    *waiters, other = people
    alone = await other.patiently(asked.beside)
    facts: dict[str, Any] = {"alone": alone.seconds, "alone_ok": alone.ok, "why": alone.why, "steps": []}
    while alone.ok and len(facts["steps"]) < len(waiters) and not scene.stopping:
        count = len(facts["steps"]) + 1
        step = await _while_waiting(server, waiters[:count], other, asked=asked)
        facts["steps"].append({"waiting": count, **step})
        if not step["in_time"]:
            break
    return facts


async def _while_waiting(
    server: Server, waiters: list[Actor], other: Actor, *, asked: Waiting
) -> dict[str, Any]:
    tasks: list[asyncio.Task[Done]] = []
    try:
        async with held_lock(server, asked.lock):
            tasks += [asyncio.create_task(each.do(asked.operation)) for each in waiters]
            waiting = await _arrived(server, tasks)
            beside = asyncio.create_task(other.do(asked.beside))
            tasks.append(beside)
            await asyncio.wait([beside], timeout=asked.patience)
            in_time = beside.done()
            listed = await asyncio.to_thread(foreign_sessions, server)
    finally:
        done = await asyncio.gather(*tasks)
    answer = done[-1]
    return {
        "in_time": in_time,
        "ok": answer.ok,
        "why": answer.why,
        "seconds": answer.seconds,
        "in_database": waiting,
        "active_then": _active(listed),
        "sessions": len(listed),
    }


async def _arrived(server: Server, tasks: list[asyncio.Task[Done]]) -> int:
    """How many of the service's statements wait, at most, within a moment."""
    most = 0
    for _ in range(round(GETTING_THERE / 0.05)):
        listed = await asyncio.to_thread(foreign_sessions, server)
        most = max(most, _active(listed))
        if most >= len(tasks) or any(task.done() for task in tasks):
            break
        await asyncio.sleep(0.05)
    return most


def _active(listed: list[Session]) -> int:
    """How many have a statement under way; one that waits for a lock does."""
    return sum(each.state in {"active", "Query"} for each in listed)


async def after_leaks(scene: Scene, actor: Actor, asked: Leak) -> dict[str, Any]:
    """Which sessions stay in a transaction when all is quiet, and whether the service still answers."""
    server = _listing(scene.server)
    alone = await actor.patiently(asked.probe)
    facts: dict[str, Any] = {"probe_ok": alone.ok, "alone": alone.seconds, "why": alone.why, "done": 0}
    if not alone.ok:
        return facts
    old = await _in_transaction(server)
    facts["refused"] = await _do_often(scene, actor, asked, facts=facts, times=FEW)
    if server is not None:
        await _quiet(scene)
        facts |= {"quiet": QUIET, "stuck": len(await _in_transaction(server) - old)}
    if not facts.get("stuck") and not facts["refused"]:
        facts["refused"] = await _do_often(scene, actor, asked, facts=facts, times=asked.times - FEW)
    if facts["refused"]:
        await _quiet(scene)  # what was only busy is free again after it
    facts["probes"] = await _probed(
        actor, asked, tries=1 if facts["refused"] else PROBES, alone=alone.seconds
    )
    return facts


async def _quiet(scene: Scene) -> None:
    """Rest, unless we are to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(scene.context.stop.wait(), QUIET)


async def _do_often(scene: Scene, actor: Actor, asked: Leak, *, facts: dict[str, Any], times: int) -> str:
    """The first failure of the service, in words; "" where there was none."""
    for _ in range(times):
        for name in asked.operations:
            if scene.stopping:
                return ""
            done = await actor.patiently(name)
            facts["done"] += 1
            if done.status is None or done.status >= SERVER_ERROR:
                return f"{name}: {done.why} after {done.seconds:.1f} s"
            facts.setdefault("statuses", {})[name] = done.status
    return ""


async def _in_transaction(server: Server | None) -> set[int]:
    """The sessions of others that are in a transaction in which nothing happens."""
    if server is None:
        return set()
    listed = await asyncio.to_thread(foreign_sessions, server)
    return {each.id for each in listed if each.state.startswith(IN_TRANSACTION) and each.seconds > STUCK}


async def _probed(actor: Actor, asked: Leak, *, tries: int, alone: float) -> list[dict[str, Any]]:
    """The answers to the probe, until one is good and not slow."""
    answers: list[dict[str, Any]] = []
    while len(answers) < tries and not (
        answers and answers[-1]["ok"] and not is_slow(answers[-1]["seconds"], alone)
    ):
        done = await actor.do(asked.probe)
        answers.append({"ok": done.ok, "seconds": done.seconds, "why": done.why})
    return answers
