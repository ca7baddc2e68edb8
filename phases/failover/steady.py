"""What the steady state before the first fault was, and what still counts as the same afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from campaign.clock import SECOND
from phases.failover.story import Ending, Probe, Story

FAILED_MORE = 0.01
"""How much larger the share of failed probes may be than in the steady state."""

SLOW_MORE = 0.10
"""The share of a window's probes that may be slow."""

SLOW_TIMES, SLOW_BY = 3.0, 0.1
"""A probe is slow beyond so many times the steady p95 and so many seconds more than it, whichever is more."""

WINDOW_SECONDS, WINDOW_PROBES = 1.0, 10
"""The least length of a window: so many seconds, and as long as so many probes take."""

VOLLEY = "volley"
"""The kind of requests that are kept in flight so that there are some to lose, beside the open model."""

FEWEST = 10
"""Probes below which nobody knows what the steady state is."""


@dataclass(frozen=True, slots=True)
class Steady:
    """The steady state: `count` probes of which the share `failed`, and the 95th percentile of all, in
    seconds (None: none was answered). `slow` are the seconds beyond which a probe of an operation is slow.
    """

    count: int
    failed: float
    p95: float | None
    slow: Mapping[str, float]

    def is_slow(self, probe: Probe) -> bool:
        """Whether it took longer than its like in the steady state, whatever came of it."""
        return seconds(probe) > self.slow.get(probe.operation, float("inf"))

    def plain(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def steady_of(story: Story) -> Steady:
    """The steady state of a story: all that was due and done before its first fault."""
    over = min((each.sent_ns for each in story.strikes if each.sent_ns is not None), default=story.steady_ns)
    before = [each for each in sent(story.probes) if each.done_ns <= over]
    answered = [each for each in before if each.ending is Ending.OK]
    names = {each.operation for each in answered}
    slow = {name: _slow_beyond(each for each in answered if each.operation == name) for name in names}
    return Steady(
        count=len(before),
        failed=1 - len(answered) / len(before) if before else 0.0,
        p95=p95(answered),
        slow=slow,
    )


def window_ns(rate: float) -> int:
    """How long a window is, in nanoseconds, where so many probes a second are sent."""
    return round(max(WINDOW_SECONDS, WINDOW_PROBES / rate) * SECOND)


def sent(probes: Iterable[Probe]) -> list[Probe]:
    """The open model's probes that really went out, in the order in which they were due."""
    out = (each for each in probes if each.ending is not Ending.UNSENT and each.kind != VOLLEY)
    return sorted(out, key=lambda each: each.due_ns)


def seconds(probe: Probe) -> float:
    """How long it took, from when it was due."""
    return (probe.done_ns - probe.due_ns) / SECOND


def p95(probes: Iterable[Probe]) -> float | None:
    """The 95th percentile of how long they took, in seconds; None for none."""
    times = [seconds(each) for each in probes]
    return float(np.percentile(times, 95)) if times else None


def _slow_beyond(probes: Iterable[Probe]) -> float:
    most = p95(probes) or 0.0
    return max(SLOW_TIMES * most, most + SLOW_BY)
