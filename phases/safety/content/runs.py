"""Sends the jobs of one run through the load engine, and reads what came of each."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from campaign.load.fleet import run_load
from campaign.load.outcome import LoadOutcome, Second
from campaign.load.profile import Segment
from campaign.load.spec import LoadPlan, Model, ScenarioSpec, ramp_and_hold
from campaign.phase import PhaseContext
from campaign.target.journey import WaitSpec, operations_in
from campaign.target.spec import OperationSpec, UserSpec, Vocabulary
from phases.safety.content.planner import AHEAD, LEAD
from phases.safety.content.work import Checked, Work, read_log

LIFE = "phases.safety.content.life:make"
KIND = "checker"

SLOWEST = 20.0
"""Checks per second below which a run at one's own pace is ended."""

PATIENCE = 10.0
"""Seconds that an answer may take."""

GRACE = 2 * (PATIENCE + 2)
"""Seconds for what was due before the end; half of it is for what was never begun."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one run: every check by its key, and what the load engine says of it."""

    checked: Mapping[str, Checked]
    outcome: LoadOutcome
    rate: float

    @property
    def doubt(self) -> str:
        """Why good figures of it prove nothing; "" where they do."""
        return self.outcome.generator.saturation()


def timely(spec: OperationSpec) -> OperationSpec:
    """The operation, with no more patience than a check may have."""
    return replace(spec, options=replace(spec.options, timeout=min(spec.options.timeout, PATIENCE)))


async def at_own_pace(
    context: PhaseContext, work: Work, *, connections: int, on_second: Callable[[Second], None]
) -> Run:
    """All jobs over a few connections, each going on when it has its verdict."""
    seconds = len(work.jobs) / SLOWEST + 30.0
    scenario = replace(ramp_and_hold(work.arm, connections, math.inf, seconds), graceful_stop=GRACE)
    return await _run(context, work, scenario, rate=0.0, on_second=on_second)


async def at_rate(
    context: PhaseContext, work: Work, *, rate: float, connections: int, on_second: Callable[[Second], None]
) -> Run:
    """All jobs at a rate, due whatever the answers take."""
    sent = rate * AHEAD
    hold = len(work.jobs) / sent
    scenario = ScenarioSpec(
        work.arm,
        (Segment(0, LEAD), Segment(sent, 0.0), Segment(sent, hold)),
        (LEAD, LEAD + hold),
        model=Model.OPEN,
        ready=connections,
        most=connections,
        graceful_stop=GRACE,
    )
    return await _run(context, work, scenario, rate=rate, on_second=on_second)


async def _run(
    context: PhaseContext, work: Work, scenario: ScenarioSpec, *, rate: float,
    on_second: Callable[[Second], None],
) -> Run:  # fmt: skip
    log = _fresh(Path(work.log))
    user = UserSpec(KIND, 1.0, WaitSpec(), (), {}, life=LIFE, options=work)
    vocabulary = Vocabulary(users={KIND: user}, feeds=context.vocabulary.feeds)
    plan = LoadPlan(context.target, vocabulary, scenario, context.seed)
    try:
        outcome = await run_load(plan, clock=context.clock, stop=context.stop, on_second=on_second)
        return Run(read_log(log), outcome, rate)
    finally:
        _fresh(log)


def _fresh(log: Path) -> Path:
    """The log without anything in it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    return log


class Over:
    """Ends what runs beside something, when that is over or the phase is stopped."""

    def __init__(self, context: PhaseContext) -> None:
        self._stop = context.stop
        self._event = asyncio.Event()

    def set(self) -> None:
        """It is over."""
        self._event.set()

    async def wait(self) -> None:
        """Return when it is."""
        waiting = [asyncio.create_task(each.wait()) for each in (self._stop, self._event)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()


async def others(
    context: PhaseContext, kinds: Sequence[str], *, users: int, seconds: float, until: Over
) -> LoadOutcome:
    """What users of these kinds came to who were there beside a run; they leave when it is over."""
    vocabulary = context.vocabulary
    chosen = {name: replace(vocabulary.users[name], count=None) for name in kinds}
    used = {name for user in chosen.values() for name in operations_in(user.bodies)}
    used |= {vocabulary.operations[name].options.undo for name in used}
    operations = {name: each for name, each in vocabulary.operations.items() if name in used}
    plan = LoadPlan(
        context.target,
        replace(vocabulary, users=chosen, operations=operations),
        replace(ramp_and_hold("beside", users, math.inf, seconds), graceful_stop=GRACE),
        context.seed,
    )
    return await run_load(plan, clock=context.clock, stop=until, on_second=lambda _: None)
