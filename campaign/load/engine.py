"""Runs the users of one shard in one process and reports what they saw, second by second."""

from __future__ import annotations

import asyncio
from typing import Protocol

from campaign.clock import SECOND, Clock
from campaign.load.connections import Dialer
from campaign.load.health import Health
from campaign.load.luck import Luck
from campaign.load.messages import Finished, Interval
from campaign.load.recorder import Recorder
from campaign.load.session import Session, Surroundings
from campaign.load.shard import PreparedShard, make_kinds
from campaign.load.timeline import Timeline
from campaign.load.timeouts import Timeouts
from campaign.load.user import Kind, User
from campaign.redact import Redactor
from campaign.target.guard import Guard
from campaign.target.scope import Scope


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
        self._clock = clock
        self._timeline = timeline
        self._prepared = prepared
        self._recorder = Recorder([each.name for each in prepared.operations], timeline)
        self._health = Health(timeline, loop=loop, now_ns=clock.now_ns)
        self._kinds = make_kinds(prepared, Timeouts(loop=loop, now_ns=clock.now_ns))
        self._surroundings = Surroundings(
            clock=clock,
            dialer=Dialer(Guard(plan.target.allow_hosts), prepared.tls, loop=loop, now_ns=clock.now_ns),
            recorder=self._recorder,
            redact=Redactor(plan.target.secrets),
        )
        self._users: dict[asyncio.Task[None], User] = {}

    async def run(self, control: Control) -> Finished:
        """The last part of a second, when all users have left or were told to."""
        for number, kind in self._prepared.users.items():
            user = self._make_user(number, self._kinds[kind])
            task = asyncio.create_task(user.live(self._timeline.arrival(number)))
            self._users[task] = user
        reporting = asyncio.create_task(self._report(control))
        stopping = asyncio.create_task(self._stop(control))
        try:
            await asyncio.gather(*self._users, return_exceptions=True)
        finally:
            for task in (reporting, stopping, *self._users):
                task.cancel()
        self._raise_defect()
        self._health.end()
        return Finished(self._recorder.take(self._clock.now_ns(), self._health))

    def _make_user(self, number: int, kind: Kind) -> User:
        # The campaign file counts users from 1.
        scope = Scope(number + 1, kind.name, seed=self._prepared.seed, feeds=self._prepared.feeds)
        return User(
            kind,
            Session(scope, self._surroundings),
            luck=Luck(self._prepared.seed, number),
            clock=self._clock,
            presence=self._recorder.presence,
            departure=self._timeline.departure(number),
        )

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
        for task, user in self._users.items():
            user.departure = min(user.departure, now_ns)
            if user.resting:
                task.cancel()
        await self._clock.sleep_until(now_ns + round(grace * SECOND))
        for task in self._users:
            task.cancel()

    def _raise_defect(self) -> None:
        """Raise what a user ended with, if that was a defect of ours; a target's doings never get here."""
        for task in self._users:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
