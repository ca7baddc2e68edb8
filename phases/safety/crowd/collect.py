"""Lets the crowd loose: saying what each would say, then all the same, then while something is broken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from campaign.faults.breaker import uninterrupted
from campaign.load.fleet import run_load
from campaign.load.lookout import SEEN
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.sightings import carries_canaries, seen
from campaign.load.spec import LoadPlan, ramp_and_hold
from campaign.target.journey import operations_in
from campaign.target.spec import FeedSpec, Vocabulary
from phases.safety.crowd.faulted import Told, broken_meanwhile
from phases.safety.crowd.settings import AROUND, CrowdFault, CrowdSettings
from phases.safety.scene import Scene

PART = "crowd"
AT_ONCE = float("inf")

OWN_WORDS, SAME_WORDS, DURING_FAULT = "own_words", "same_words", "during_fault"
"""The scenarios: each its own words, all the same at the same moment, each its own beside a fault."""


async def collect_crowd(scene: Scene) -> None:
    """Run both scenarios, and record who was shown what after each."""
    settings = scene.settings.crowd
    runs: list[dict[str, Any]] = []
    words = mapped(scene.context.vocabulary, settings)
    if not carries_canaries(words):
        scene.context.record.fact(PART, {"runs": [], "why": NOBODY})
        return
    scenarios = list(_scenarios(words, settings))
    for place, (name, vocabulary) in enumerate(scenarios):
        if scene.stopping:
            break
        runs.append(await _run(scene, name, vocabulary, share=(place / len(scenarios), 1 / len(scenarios))))
        scene.context.record.fact(PART, {"runs": runs})
        _warn(scene, name, runs[-1]["canaries"].get("seen"))


NOBODY = "no operation of these kinds of users sends {{ canary }}"


def mapped(vocabulary: Vocabulary, settings: CrowdSettings) -> Vocabulary:
    """The vocabulary of the crowd alone: its kinds of users, and the operations that they do."""
    users = {name: replace(vocabulary.users[name], weight=1.0, count=None) for name in settings.kinds}
    done = {name for user in users.values() for body in (user.bodies,) for name in operations_in(body)}
    done |= {vocabulary.operations[name].options.undo for name in done}
    operations = {name: each for name, each in vocabulary.operations.items() if name in done}
    return replace(vocabulary, users=users, operations=operations)


def _scenarios(vocabulary: Vocabulary, settings: CrowdSettings) -> Iterator[tuple[str, Vocabulary]]:
    yield OWN_WORDS, vocabulary
    same = {name: FeedSpec(name, feed.values[:1]) for name, feed in vocabulary.feeds.items()}
    yield SAME_WORDS, replace(vocabulary, feeds=same)
    if settings.fault:
        yield DURING_FAULT, vocabulary


async def _run(
    scene: Scene, name: str, vocabulary: Vocabulary, *, share: tuple[float, float]
) -> dict[str, Any]:
    """One scenario as JSON data; `share` is where it begins in the part, and how much of it it is."""
    context, settings = scene.context, scene.settings.crowd
    fault = settings.fault if name == DURING_FAULT else None
    seconds = settings.faulted_seconds if fault else settings.hold / 2
    plan = LoadPlan(
        context.target,
        vocabulary,
        ramp_and_hold(name, settings.users, AT_ONCE, seconds),
        context.seed,
        canaries=True,
        leave=settings.disconnects,
    )

    told, came = Told(), asyncio.Event()
    good: list[tuple[float, float]] = []

    def see(second: Second) -> None:
        came.set()
        good.append((second.at, second.rate * second.seconds * (1.0 - (second.error_rate or 0.0))))
        done = min(second.at / seconds, 1.0)
        said = f"crowd: {name.replace('_', ' ')}"
        scene.tell(said, share[0] + share[1] * done, rate=second.rate, users=second.users)
        _warn(scene, name, second.counts.get(SEEN))

    breaking = asyncio.create_task(_broken(scene, fault, told, came)) if fault else None
    try:
        outcome = await run_load(plan, clock=context.clock, stop=context.stop, on_second=see)
    finally:
        if breaking is not None:
            came.set()
            await uninterrupted(breaking)
    plain = _plain(name, outcome, seed=context.seed)
    return {**plain, "fault": _with_answers(told, good)} if fault else plain


def _warn(scene: Scene, name: str, times: int | None) -> None:
    if times:
        scene.warn(f"{PART}.{name}", "a child was shown another child's data")


async def _broken(scene: Scene, fault: CrowdFault, told: Told, came: asyncio.Event) -> None:
    """The fault, once the crowd is there."""
    await came.wait()
    await broken_meanwhile(scene.context, fault, told, after=AROUND - 1.0)


def _with_answers(told: Told, good: list[tuple[float, float]]) -> dict[str, Any]:
    """The fault, and how many good answers came since it began (counted by whole seconds)."""
    began = told.began
    since = 0 if began is None else round(sum(count for at, count in good if at > began + 1.0))
    return {**told.plain(), "answers_since": since}


def _plain(name: str, outcome: LoadOutcome, *, seed: int) -> dict[str, Any]:
    failed = sum(group.count for group in outcome.errors if group.kind.value != "cut")
    worst = [
        {"operation": group.operation, "kind": group.kind.value, "detail": group.detail, "count": group.count}
        for group in outcome.errors[:5]
        if group.kind.value != "cut"
    ]
    return {
        "name": name,
        "users": outcome.scenario.users,
        "requests": sum(tally.count for tally in outcome.tallies.values()),
        "failed": failed,
        "errors": worst,
        "lost": list(outcome.generator.losses),
        "canaries": seen(outcome, seed),
    }
