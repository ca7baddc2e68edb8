"""Sleepers share one timer: nobody wakes early or is forgotten, and who no longer sleeps disturbs nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import uvloop

from campaign.clock import SECOND, RealClock
from campaign.load.alarms import Alarms

PATIENCE = 10.0


def with_alarms(work: Callable[[Alarms], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(PATIENCE):
            await work(Alarms(RealClock(), loop=asyncio.get_running_loop()))

    uvloop.run(run())


def test_sleepers_wake_in_the_order_they_are_due_and_never_early():
    woken: list[int] = []

    async def sleep(alarms: Alarms, due: int) -> None:
        await alarms.sleep_until(due)
        assert alarms.now_ns() >= due
        woken.append(due)

    async def work(alarms: Alarms) -> None:
        start = alarms.now_ns() + SECOND // 4
        dues = [start + (number * 7919 % 100) * 1_000_000 + number for number in range(500)]
        await asyncio.gather(*(sleep(alarms, due) for due in dues))

    with_alarms(work)
    assert len(woken) == 500
    assert woken == sorted(woken)


def test_one_who_is_due_earlier_than_all_others_need_not_wait_for_them():
    async def work(alarms: Alarms) -> None:
        late = alarms.sleep_until(alarms.now_ns() + 3600 * SECOND)
        await alarms.sleep_until(alarms.now_ns() + SECOND // 100)
        assert not late.done()  # type: ignore[attr-defined]

    with_alarms(work)


def test_a_moment_that_is_past_is_no_sleep():
    async def work(alarms: Alarms) -> None:
        assert alarms.sleep_until(alarms.now_ns()).done()  # type: ignore[attr-defined]

    with_alarms(work)


def test_a_sleeper_that_was_cancelled_does_not_keep_the_others_of_its_moment_asleep():
    async def work(alarms: Alarms) -> None:
        due = alarms.now_ns() + SECOND // 50

        async def sleep() -> None:
            await alarms.sleep_until(due)

        gone, other = asyncio.create_task(sleep()), asyncio.create_task(sleep())
        await asyncio.sleep(0)
        gone.cancel()
        await other
        assert gone.cancelled()

    with_alarms(work)
