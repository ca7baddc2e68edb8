"""Runs the users of one shard in one process and reports what they saw, second by second."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

from campaign.canary import mint_of
from campaign.clock import SECOND, Clock
from campaign.errors import GeneratorError
from campaign.load.alarms import Alarms
from campaign.load.arrivals import OpenCrowd
from campaign.load.cleanup import CLEAN_UP, Cleaner, at_once
from campaign.load.crowd import ClosedCrowd, Crowd, raise_defect
from campaign.load.dialing import make_dialer, socket_dialer
from campaign.load.health import Health
from campaign.load.lookout import Lookout
from campaign.load.luck import Luck
from campaign.load.messages import Finished, Interval
from campaign.load.mix import lots_of_arrivals
from campaign.load.pacer import dues, make_pacer
from campaign.load.private import secret_paths
from campaign.load.session import Surroundings
from campaign.load.sessions import SessionMaker
from campaign.load.shard import PreparedShard, lots_of, make_kinds
from campaign.load.spec import Model
from campaign.load.timeline import Timeline
from campaign.load.timeouts import Timeouts
from campaign.load.user import User
from campaign.load.views import make_recorder
from campaign.redact import Redactor
from campaign.target.scope import Scope

LAST_WORD = 5 * SECOND
"""Nanoseconds in which a user must have ended once nothing of it is to go on."""

CUT = "cut"
"""Counts the users that were cut when the grace for what they had under way was over."""


class UserStuckError(GeneratorError):
    """Users that nothing ends but the end of their process."""


class Control(Protocol):
    """Who gave us the shard."""

    def report(self, interval: Interval) -> None:
        """Take what was seen in one second."""

    async def stopped(self) -> float:
        """Return when the run is to end early; the seconds that requests in flight have left."""


async def run_shard(prepared: PreparedShard, start_ns: int, *, control: Control, clock: Clock) -> Finished:
    """What was seen since the last report, when all users have left. Users begin at `start_ns` of `clock`."""
    engine = Engine(prepared, Timeline.of(prepared.shard.plan.scenario, start_ns), clock=clock)
    return await engine.run(control)


class Engine:
    """The users of one shard as tasks on the running loop."""

    def __init__(self, prepared: PreparedShard, timeline: Timeline, *, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        plan = prepared.shard.plan
        self._machine_clock = clock
        clock = Alarms(clock, loop=loop)
        self._clock = clock
        self._timeline = timeline
        self._prepared = prepared
        self._recorder = make_recorder([each.name for each in prepared.operations], timeline, plan.views)
        self._health = Health(timeline, loop=loop, now_ns=clock.now_ns)
        self._kinds = make_kinds(prepared, Timeouts(loop=loop, now_ns=clock.now_ns))
        paced = any(kind.paced for kind in self._kinds.values())
        self._recorder.own_lags = plan.scenario.model is Model.CLOSED and not paced
        self._surroundings = Surroundings(
            clock=clock,
            dialer=make_dialer(plan.target, prepared.tls, loop=loop, now_ns=clock.now_ns),
            recorder=self._recorder,
            redact=Redactor(plan.target.secrets),
            sockets=socket_dialer(plan.target, prepared.tls, loop=loop, now_ns=clock.now_ns),
            secret_paths=secret_paths(plan.vocabulary, plan.target),
            lookout=self._lookout() if plan.canaries else None,
        )
        self._sessions = SessionMaker(prepared, self._surroundings)
        self._persons: Counter[int] = Counter()
        self._cleaner = (
            Cleaner(self._recorder, timeline, clock=clock, at_once=at_once(plan.workers))
            if prepared.undo
            else None
        )
        self._crowd = self._make_crowd()

    async def run(self, control: Control) -> Finished:
        """The last part of a second, when all users have left or were told to."""
        running = asyncio.create_task(self._crowd.run())
        chores = [
            asyncio.create_task(each) for each in (self._report(control), self._stop(control), self._end())
        ]
        try:
            await _outlast(running, chores)
        finally:
            for task in (*chores, running):
                task.cancel()
            self._sessions.close()
        self._health.end()
        return Finished(self._recorder.finish(self._clock.now_ns(), self._health))

    def _lookout(self) -> Lookout:
        plan = self._prepared.shard.plan
        return Lookout(
            mint_of(self._prepared.seed),
            self._recorder,
            leave=plan.leave,
            seed=f"{self._prepared.seed}/{self._prepared.shard.index}",
        )

    def _make_crowd(self) -> Crowd:
        users, scenario = self._prepared.users, self._prepared.shard.plan.scenario
        if scenario.model is Model.CLOSED:
            return ClosedCrowd(users, self._make_user, timeline=self._timeline, clock=self._clock)
        shard, regions = self._prepared.shard, self._prepared.regions
        return OpenCrowd(
            {number: (kind, regions.get(number, "")) for number, kind in users.items()},
            self._make_user,
            kinds=lots_of_arrivals(lots_of(shard.plan), first=shard.index, step=shard.plan.workers),
            arrivals=self._arrivals,
            ready=[number for number in users if number < scenario.ready],
            timeline=self._timeline,
            clock=self._machine_clock,
            recorder=self._recorder,
        )

    def _arrivals(self) -> Iterator[int]:
        shard = self._prepared.shard
        pacer = make_pacer(shard.plan.scenario, self._timeline, seed=self._prepared.seed)
        return dues(pacer, first=shard.index, step=shard.plan.workers)

    def _make_user(self, number: int) -> User:
        # The campaign file counts users from 1.
        kind = self._kinds[self._prepared.users[number]]
        seed = self._seed(number)
        scope = Scope(number + 1, kind.name, seed=seed, feeds=self._prepared.feeds)
        return User(
            kind,
            self._sessions.make(number, scope),
            luck=Luck(seed, number),
            clock=self._clock,
            presence=self._recorder.presence,
            cleaner=self._cleaner,
        )

    def _seed(self, number: int) -> str:
        """Of the next person with this number: each makes up other data and decides otherwise."""
        self._persons[number] += 1
        seed, person = self._prepared.seed, self._persons[number]
        return seed if person == 1 else f"{seed}/person {person}"

    async def _report(self, control: Control) -> None:
        due = self._timeline.start_ns
        while True:
            due += SECOND
            await self._clock.sleep_until(due)
            control.report(self._recorder.take(self._clock.now_ns(), self._health))

    async def _stop(self, control: Control) -> None:
        grace = await control.stopped()
        now_ns = self._clock.now_ns()
        self._recorder.presence.stop(now_ns)
        self._crowd.stop(now_ns)
        await self._clock.sleep_until(now_ns + round(grace * SECOND))
        await self._cut()

    async def _end(self) -> None:
        """Users of the open model do not leave by themselves: half of the grace is for what was due before
        the end, the other half for leaving in good order.
        """
        scenario = self._prepared.shard.plan.scenario
        grace = round(scenario.graceful_stop * SECOND)
        if scenario.model is Model.OPEN:
            await self._clock.sleep_until(self._timeline.ends + grace // 2)
            self._crowd.stop(self._clock.now_ns())
        await self._clock.sleep_until(self._timeline.ends + grace)
        self._recorder.cutting = True
        await self._cut()

    async def _cut(self) -> None:
        """End what takes longer than the grace; it is no sample, and the outcome says how many it were."""
        if cut := self._crowd.cut():
            self._recorder.count(CUT, cut)
        await self._clock.sleep_until(self._clock.now_ns() + round(CLEAN_UP * SECOND) * bool(self._cleaner))
        self._crowd.cancel()
        await self._clock.sleep_until(self._clock.now_ns() + LAST_WORD)
        if stuck := self._crowd.kinds_left():
            kinds = ", ".join(sorted(stuck))
            raise UserStuckError(f"users of kind {kinds} did not end: their code catches the cancellation")


async def _outlast(running: asyncio.Task[None], chores: Iterable[asyncio.Task[None]]) -> None:
    """Return when `running` has ended. Raises what any of the tasks ended with."""
    pending = {running, *chores}
    while running in pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        raise_defect(done)
