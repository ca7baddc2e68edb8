"""Waking at a moment: never before it, soon after it, by the kernel's timer or as the clock can."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
import uvloop

from campaign.clock import SECOND, RealClock
from campaign.load import chime
from campaign.load.chime import Exactly, LoopChime, TimerChime

linux = pytest.mark.skipif(sys.platform != "linux", reason="such timers are Linux's own")


def woken(count=100):
    """How much later than due it woke, in ns, for moments 0.3 ms apart; and by what."""

    async def listen():
        clock = RealClock()
        with Exactly(clock) as rings:
            late, due = [], clock.now_ns()
            for _ in range(count):
                due += SECOND // 3000
                await rings.sleep_until(due)
                late.append(clock.now_ns() - due)
            return sorted(late), type(rings)

    return uvloop.run(listen())


@linux
def test_it_rings_at_the_moment_and_never_before():
    late, kind = woken()
    assert kind is TimerChime
    assert late[0] >= 0
    assert late[len(late) // 2] < SECOND // 100  # generous, as a test machine is busy


def test_a_moment_that_is_past_rings_at_once():
    async def listen():
        with Exactly(RealClock()) as rings:
            await asyncio.wait_for(rings.sleep_until(RealClock().now_ns() - SECOND), 1)
            await asyncio.wait_for(rings.sleep_until(-5), 1)

    uvloop.run(listen())


def test_where_the_kernel_has_no_timer_the_clock_has_to_do(monkeypatch):
    def refuse(**_):
        raise OSError

    monkeypatch.setattr(chime, "TimerChime", refuse)
    late, kind = woken(20)
    assert kind is LoopChime
    assert late[0] >= 0


@linux
def test_the_timer_is_given_back():
    woken(1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    woken(1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_clock_of_a_test_is_asked_itself():
    class Clock:
        def now_ns(self):
            return 0

        def wall(self):
            return 0.0

        async def sleep_until(self, due_ns):
            asked.append(due_ns)

    async def listen():
        with Exactly(Clock()) as rings:
            await rings.sleep_until(7)

    asked = []
    uvloop.run(listen())
    assert asked == [7]
