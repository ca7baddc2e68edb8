"""The crowd of an open model: arrivals come when they are due, and each is served by a user of a pool.

The pool grows when an arrival finds nobody idle, up to the most users there may be; then arrivals wait, and
their response times count from when they were due. Who was idle for longest serves next, so that connections
stay warm. Each number of the scenario stands for a kind of user (and whatever else depends on the number),
and an arrival is for one kind, whoever is there: neither the pool nor its size decides the mix.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TypeAlias

from campaign.clock import SECOND, Clock
from campaign.load.chime import Exactly
from campaign.load.crowd import MakeUser, raise_defect
from campaign.load.pacer import ASKED, BEGUN
from campaign.load.recorder import Recorder
from campaign.load.timeline import Timeline
from campaign.load.user import User
from campaign.target.feeds import FeedExhaustedError

WAITED = "arrivals.waited"
"""Counts the arrivals of the judged part that had to wait because every user there may be was busy."""

BREATH = 500
"""Arrivals handed over in one go; then everything else gets its turn, however late we are."""

GRAIN = SECOND // 4000
"""Nanoseconds at least between two times that arrivals are handed over: many do not cost a waking each."""

Wish: TypeAlias = "asyncio.Future[int | None]"
"""What an idle user waits for: the due moment of its next arrival, or None when it may leave."""

Begin: TypeAlias = Callable[[User, int, "Queue"], Awaitable[None]]
"""What a user does from the moment when it comes until it leaves."""


class Queue:
    """The users of one kind, and the arrivals for them: one side or the other waits, never both."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._spare = deque(numbers)
        self._idle: deque[Wish] = deque()
        self._waiting: deque[int] = deque()
        self._closed = False

    @property
    def crowded(self) -> bool:
        """Whether arrivals wait."""
        return bool(self._waiting)

    def hand_over(self, due: int) -> int | None:
        """Give the arrival to an idle user or let it wait; a spare number, when a new user is to serve it."""
        while self._idle:
            wish = self._idle.popleft()
            if not wish.done():
                wish.set_result(due)
                return None
        if self._spare:
            return self._spare.popleft()
        self._waiting.append(due)
        return None

    async def next(self) -> int | None:
        """When the arrival that this user serves next was due; None when there are no more."""
        if self._waiting:
            return self._waiting.popleft()
        if self._closed:
            return None
        wish: Wish = asyncio.get_running_loop().create_future()
        self._idle.append(wish)
        return await wish

    def released(self, number: int) -> int | None:
        """The user of this number has left: when the arrival was due that a new one is to serve, if any."""
        if self._waiting:
            return self._waiting.popleft()
        self._spare.append(number)
        return None

    def close(self) -> None:
        """No further arrivals: who is idle leaves, and those that wait are served to the end."""
        self._closed = True
        for wish in self._idle:
            if not wish.done():
                wish.set_result(None)
        self._idle.clear()

    def clear(self) -> None:
        """Nobody serves those that wait any more."""
        self._waiting.clear()


class OpenCrowd:
    """The pool of one worker. `users` maps its numbers to what an arrival is for, such as a kind of user, and
    `kinds` says that of each arrival in turn; those in `ready` are made ready before the first arrival.
    """

    def __init__(
        self, users: Mapping[int, Hashable], make: MakeUser, *, kinds: Iterator[Hashable],
        arrivals: Callable[[], Iterator[int]], ready: Iterable[int], timeline: Timeline, clock: Clock,
        recorder: Recorder,
    ) -> None:  # fmt: skip
        self._make = make
        self._arrivals = arrivals
        self._ready = list(ready)
        self._timeline = timeline
        self._clock = clock
        self._recorder = recorder
        self._queues = _queues(users, self._ready)
        self._queue_of = {number: self._queues[kind] for number, kind in users.items()}
        self._kinds = kinds
        self._at_work: dict[asyncio.Task[None], User] = {}
        self._defects: list[asyncio.Task[None]] = []
        self._dispatching: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Return when all arrivals are served and all users have left."""
        self._make_ready()
        self._dispatching = asyncio.create_task(self._dispatch())
        try:
            await asyncio.wait([self._dispatching])
            for queue in self._queues.values():
                queue.close()
            while self._at_work:
                await asyncio.wait(list(self._at_work))
        finally:
            self.cancel()
        raise_defect([self._dispatching, *self._defects])

    def stop(self, now_ns: int) -> None:
        """No further arrivals; those that wait are not begun, who serves one begins no further request."""
        self._stop_arrivals()
        for task, user in self._at_work.items():
            user.end(task, now_ns)

    def cut(self) -> int:
        """Cut all users; how many were still there. Arrivals that wait are not begun any more."""
        self._stop_arrivals()
        return sum(user.cut(task) for task, user in self._at_work.items())

    def cancel(self) -> None:
        """Cut all users, also those that delete what they made."""
        self._stop_arrivals()
        for task, user in self._at_work.items():
            user.dismiss(task)

    def kinds_left(self) -> set[str]:
        """Of users that are still at work."""
        return {user.kind for user in self._at_work.values()}

    def _make_ready(self) -> None:
        """Spread the starts of the first users over the time until the first arrival."""
        begins = self._timeline.start_ns
        first = next(self._arrivals(), begins)
        for position, number in enumerate(self._ready):
            come = begins + (first - begins) * position // len(self._ready)
            self._add(number, self._prepare, at=come)

    async def _dispatch(self) -> None:
        with Exactly(self._clock) as chime:
            now_ns, woken, in_one_go = self._clock.now_ns, 0, 0
            for due in self._arrivals():
                if now_ns() < due:
                    await chime.sleep_until(max(due, woken + GRAIN))
                    woken, in_one_go = now_ns(), 0
                elif (in_one_go := in_one_go + 1) > BREATH:
                    await asyncio.sleep(0)
                    in_one_go = 0
                self._note(due, now_ns() - due)
                queue = self._queues[next(self._kinds)]
                number = queue.hand_over(due)
                if number is not None:
                    self._add(number, self._welcome, at=due)
                elif queue.crowded and self._judged(due):
                    self._recorder.count(WAITED)

    def _note(self, due: int, late_ns: int) -> None:
        if self._judged(due):
            self._recorder.count(ASKED)
            self._recorder.lag(late_ns)

    def _judged(self, due: int) -> bool:
        return self._timeline.hold_begins <= due < self._timeline.hold_ends

    def _add(self, number: int, begin: Begin, *, at: int) -> None:
        user = self._make(number)
        task = asyncio.get_running_loop().create_task(self._live(number, user, begin=begin, at=at))
        self._at_work[task] = user
        task.add_done_callback(self._left)

    async def _live(self, number: int, user: User, *, begin: Begin, at: int) -> None:
        """A user of the pool, from its start until there are no more arrivals for it."""
        await user.visit.rest(at)
        user.appear()
        try:
            await user.tidily(self._stay(number, user, begin=begin, at=at))
        finally:
            user.vanish()
            self._give_back(number)

    async def _stay(self, number: int, user: User, *, begin: Begin, at: int) -> None:
        with suppress(FeedExhaustedError):
            await begin(user, at, self._queue_of[number])

    async def _prepare(self, user: User, come: int, queue: Queue) -> None:
        """It is made ready before anybody wants it, however often it must try."""
        await user.get_ready(come)
        await self._serve(user, queue, left=user.iterations or -1)

    async def _welcome(self, user: User, due: int, queue: Queue) -> None:
        """It comes with an arrival: its start is what was due, and the task when the start is done.

        A start that fails is what this arrival came to; the next one gets somebody new.
        """
        self._count_begun(due)
        done, error = await user.start(due)
        if error is None:
            await user.serve(done)
            await self._serve(user, queue, left=user.iterations - 1)

    async def _serve(self, user: User, queue: Queue, *, left: int) -> None:
        """One arrival after another; as many as it has iterations `left`, where those end (not below 0)."""
        while left and (due := await queue.next()) is not None:
            self._count_begun(due)
            await user.serve(due)
            left -= 1

    def _count_begun(self, due: int) -> None:
        if self._judged(due):
            self._recorder.count(BEGUN)

    def _give_back(self, number: int) -> None:
        """Who comes next under this number is a new person; at once, where an arrival waits."""
        due = self._queue_of[number].released(number)
        if due is not None:
            self._add(number, self._welcome, at=due)

    def _left(self, task: asyncio.Task[None]) -> None:
        del self._at_work[task]
        if not task.cancelled() and task.exception() is not None:
            self._defects.append(task)
            self._stop_arrivals()

    def _stop_arrivals(self) -> None:
        if self._dispatching is not None:
            self._dispatching.cancel()
        for queue in self._queues.values():
            queue.clear()


def _queues(users: Mapping[int, Hashable], ready: Iterable[int]) -> dict[Hashable, Queue]:
    """One for each kind, with its numbers in order, but those that are made ready."""
    ready = frozenset(ready)
    numbers: dict[Hashable, list[int]] = {kind: [] for kind in users.values()}
    for number, kind in users.items():
        if number not in ready:
            numbers[kind].append(number)
    return {kind: Queue(each) for kind, each in numbers.items()}
