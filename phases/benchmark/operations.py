"""Operations one at a time, driven by the load engine: one user without think time, in a process of its own.

Times are service times, from when a request is sent to the last byte of its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from campaign.load.cleanup import DELETED, MADE
from campaign.load.fleet import run_load
from campaign.load.generator import GeneratorHealth
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.spec import LoadPlan, ramp_and_hold
from campaign.load.tally import OURS, UNKNOWN, UNSENT, ErrorGroup
from campaign.phase import PhaseContext
from campaign.target.journey import WaitSpec
from campaign.target.spec import (
    FeedSpec,
    OperationSpec,
    RetrySpec,
    ServiceSpec,
    TargetSpec,
    UserSpec,
    Vocabulary,
)
from phases.benchmark.settings import BenchmarkSettings
from phases.benchmark.timed import Timed
from phases.benchmark.visitor import MEASURED, PLAN, START, WARM_UP, Visitor, label

TARGET, REFERENCE = "target", "reference"
"""The two sides: the target under test, and the second one that it is held against."""

KIND = "visitor"
INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of all operations: by side and name, how well we kept time ourselves, and how much was made
    (operations with an `undo`) and deleted again.
    """

    times: Mapping[tuple[str, str], Timed]
    generator: GeneratorHealth
    made: int
    deleted: int


async def measure_operations(
    context: PhaseContext,
    operations: Collection[str],
    *,
    start: Collection[str],
    sides: Collection[str],
    seconds: float,
    on_second: Callable[[Second], None],
) -> Measured:
    """The times of these operations on these sides, for at most so long. Raises GeneratorError."""
    plan = LoadPlan(
        _target(context, sides),
        _vocabulary(context, operations, start=start, sides=sides),
        ramp_and_hold("benchmark", 1, INFINITE, seconds),
        context.seed,
    )
    outcome = await run_load(plan, clock=context.clock, stop=context.stop, on_second=on_second)
    times = {(side, name): _timed(outcome, side, name) for side in sides for name in operations}
    made, deleted = (outcome.counts.get(each, 0) for each in (MADE, DELETED))
    return Measured(times, outcome.generator, made, deleted)


def _target(context: PhaseContext, sides: Collection[str]) -> TargetSpec:
    """The target; the second one is a service of it."""
    settings: BenchmarkSettings = context.settings
    if REFERENCE not in sides:
        return context.target
    services = {**context.target.services, REFERENCE: ServiceSpec(settings.against)}
    return replace(context.target, services=services)


def _vocabulary(
    context: PhaseContext, operations: Collection[str], *, start: Collection[str], sides: Collection[str]
) -> Vocabulary:
    settings: BenchmarkSettings = context.settings
    specs = context.vocabulary.operations
    undoing = {undo for name in (*start, *operations) if (undo := specs[name].options.undo)}
    stages = {START: {*start, *undoing}, WARM_UP: set(operations), MEASURED: set(operations)}
    made = {
        label(stage, side, name): _as_done(specs[name], stage, side=side, target=context.target)
        for side in sides
        for stage, names in stages.items()
        for name in specs
        if name in names
    }
    told = {
        "sides": list(sides),
        "start": list(start),
        "operations": list(operations),
        "users": settings.users,
        "warm_up": settings.warm_up,
        "pause": settings.pause,
        "seed": f"{context.seed}/benchmark",
    }
    feeds = {**context.vocabulary.feeds, PLAN: FeedSpec(PLAN, (told,), "per_user")}
    return Vocabulary(operations=made, users={KIND: _user(settings)}, feeds=feeds)


def _user(settings: BenchmarkSettings) -> UserSpec:
    path = f"{Visitor.__module__}.{Visitor.__name__}"
    folder = str(Path(__file__).parents[2])  # where the package lies, so that workers find the same one
    return UserSpec(KIND, 1, WaitSpec(), (), {}, iterations=settings.iterations, python=path, folder=folder)


def _as_done(spec: OperationSpec, stage: str, *, side: str, target: TargetSpec) -> OperationSpec:
    """The operation under a name of its own, sent to its side; never again where it fails."""
    undo = label(START, side, spec.options.undo) if spec.options.undo else ""
    options = replace(spec.options, retry=RetrySpec(), undo=undo)
    named = replace(spec, name=label(stage, side, spec.name), options=options)
    if side == TARGET or spec.service:
        return named
    return replace(named, service=REFERENCE, headers={**target.headers, **spec.headers})


def _timed(outcome: LoadOutcome, side: str, name: str) -> Timed:
    """The times of one operation on one side."""
    key = label(MEASURED, side, name)
    timed = Timed()
    for (operation, _), tally in outcome.tallies.items():
        if operation == key:
            timed.histogram.merge(tally.service)
            timed.asked += tally.asked
            timed.unfinished += tally.unfinished
    for group in _errors(outcome, key):
        if group.kind not in OURS | UNKNOWN:
            timed.errors[group.detail] = timed.errors.get(group.detail, 0) + group.count
    if not timed.asked:
        timed.trouble = _why_none(outcome, side, key=key)
    return timed


def _errors(outcome: LoadOutcome, operation: str) -> Iterator[ErrorGroup]:
    return (group for group in outcome.errors if group.operation == operation)


def _why_none(outcome: LoadOutcome, side: str, *, key: str) -> str:
    """Why an operation was never done."""
    for group in _errors(outcome, key):
        if group.kind in UNSENT:
            return f"it could not be sent: {group.detail}"
    begins = label(START, side, "")
    for group in outcome.errors:
        if group.operation.startswith(begins):
            return f"what comes first failed: {group.operation.removeprefix(begins)}: {group.detail}"
    if why := outcome.generator.losses:
        return why[0]
    return "it was never reached"
