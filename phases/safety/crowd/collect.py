"""Lets the crowd loose twice: saying what each would say, then all of them the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from campaign.load.fleet import run_load
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.sightings import carries_canaries, seen
from campaign.load.spec import LoadPlan, ramp_and_hold
from campaign.target.journey import operations_in
from campaign.target.spec import FeedSpec, Vocabulary
from phases.safety.crowd.settings import CrowdSettings
from phases.safety.scene import Scene

PART = "crowd"
AT_ONCE = float("inf")

OWN_WORDS, SAME_WORDS = "own_words", "same_words"
"""The two scenarios: each its own words, and all the same at the same moment."""


async def collect_crowd(scene: Scene) -> None:
    """Run both scenarios, and record who was shown what after each."""
    settings = scene.settings.crowd
    runs: list[dict[str, Any]] = []
    words = mapped(scene.context.vocabulary, settings)
    if not carries_canaries(words):
        scene.context.record.fact(PART, {"runs": [], "why": NOBODY})
        return
    for place, (name, vocabulary) in enumerate(_scenarios(words)):
        if scene.stopping:
            break
        outcome = await _run(scene, name, vocabulary, share=place / 2)
        runs.append(_plain(name, outcome, seed=scene.context.seed))
        scene.context.record.fact(PART, {"runs": runs})
        if runs[-1]["canaries"].get("seen"):
            scene.violated = True
            scene.tell(f"VIOLATION crowd.{name}: a child was shown another child's data")


NOBODY = "no operation of these kinds of users sends {{ canary }}"


def mapped(vocabulary: Vocabulary, settings: CrowdSettings) -> Vocabulary:
    """The vocabulary of the crowd alone: its kinds of users, and the operations that they do."""
    users = {name: replace(vocabulary.users[name], weight=1.0, count=None) for name in settings.kinds}
    done = {name for user in users.values() for body in (user.bodies,) for name in operations_in(body)}
    done |= {vocabulary.operations[name].options.undo for name in done}
    operations = {name: each for name, each in vocabulary.operations.items() if name in done}
    return replace(vocabulary, users=users, operations=operations)


def _scenarios(vocabulary: Vocabulary) -> Iterator[tuple[str, Vocabulary]]:
    yield OWN_WORDS, vocabulary
    same = {name: FeedSpec(name, feed.values[:1]) for name, feed in vocabulary.feeds.items()}
    yield SAME_WORDS, replace(vocabulary, feeds=same)


async def _run(scene: Scene, name: str, vocabulary: Vocabulary, *, share: float) -> LoadOutcome:
    context, settings = scene.context, scene.settings.crowd
    seconds = settings.hold / 2
    plan = LoadPlan(
        context.target,
        vocabulary,
        ramp_and_hold(name, settings.users, AT_ONCE, seconds),
        context.seed,
        canaries=True,
        leave=settings.disconnects,
    )

    def see(second: Second) -> None:
        scene.tell(
            f"crowd: {name.replace('_', ' ')}",
            min(share + second.at / settings.hold, 1.0),
            rate=second.rate,
            users=second.users,
        )

    return await run_load(plan, clock=context.clock, stop=context.stop, on_second=see)


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
