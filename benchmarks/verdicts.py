"""How often the statistics are wrong, on series whose truth is known.

    python benchmarks/verdicts.py [--series 500]

It takes about 10 minutes on one core; each kind of series is made with three lengths.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from table import Row, show

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from simulated import NOISES, Numbers, ar1, step, warm_up

from campaign.stats.changepoints import change_points
from campaign.stats.growth import Verdict, judge_growth
from campaign.stats.lagged import lagged_correlation
from campaign.stats.scalability import ScalabilityLaw, fit_scalability, law

WEEK = 7 * 86_400.0
LENGTHS = {"10 min at 1 s": (600, 1.0), "30 min at 1 s": (1800, 1.0), "24 h at 10 s": (8640, 10.0)}
LEAK = 25
"""Growth of a leak over the run, in standard deviations of the noise."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=500)
    count = parser.parse_args().series
    show(
        [
            *false_alarms(count),
            *leaks(count // 5),
            speed(),
            *laws(count),
            *histories(count),
            *lags(count),
        ]
    )


def false_alarms(count: int) -> list[Row]:
    """No growth without end in any of them; a head-room of nearly nothing forgives no alarm."""
    shapes: dict[str, Callable[..., Numbers]] = {
        "flat": lambda random, size, noise: noise(random, size),
        "warm-up": lambda random, size, noise: warm_up(random, size, noise=noise),
        "one step": lambda random, size, noise: step(random, size, noise=noise),
    }
    rows = []
    for shape, make in shapes.items():
        for name, noise in NOISES.items():
            alarms = {}
            for length, (size, every) in LENGTHS.items():
                made = (make(np.random.default_rng([seed, size]), size, noise) for seed in range(count))
                alarms[length] = sum(_verdict(each, every, 1e-9) is Verdict.LEAK for each in made)
            share = sum(alarms.values()) / (count * len(LENGTHS))
            beside = ", ".join(f"{length} {number} of {count}" for length, number in alarms.items())
            rows.append(Row(f"false alarms, {shape}, {name}", "≤ 1 %", f"{share:.2%}", beside, share <= 0.01))
    return rows


def leaks(count: int) -> list[Row]:
    """Each uses up the head-room in half of the horizon."""
    rows = []
    for name, noise in NOISES.items():
        seen, missed = {}, 0
        for length, (size, every) in LENGTHS.items():
            head_room = LEAK / (size * every) * WEEK / 2
            rise = LEAK * np.arange(size) / size
            made = (noise(np.random.default_rng([seed, size, 7]), size) + rise for seed in range(count))
            verdicts = [_verdict(each, every, head_room) for each in made]
            seen[length] = verdicts.count(Verdict.LEAK)
            missed += verdicts.count(Verdict.NO_LEAK)
        beside = (
            ", ".join(f"{length} {n} of {count}" for length, n in seen.items()) + f"; {missed} called no leak"
        )
        least = min(seen.values()) / count
        rows.append(Row(f"leaks found, {name}", "≥ 95 %", f"{least:.0%} at least", beside, least >= 0.95))
    return rows


def _verdict(values: Numbers, every: float, head_room: float) -> Verdict:
    at = np.arange(len(values)) * every
    return judge_growth(at, values, horizon=WEEK, head_room=head_room).verdict


def speed() -> Row:
    values = ar1(0.8)(np.random.default_rng(1), 86_400)
    began = time.perf_counter()
    _verdict(values, 1.0, 1.0)
    took = time.perf_counter() - began
    return Row("86,400 values judged", "≤ 1 s", f"{took:.2f} s", "", took <= 1)


def laws(count: int) -> list[Row]:
    """Ladders of eight levels with 3 % error."""
    ladder = np.array([1, 5, 10, 25, 50, 100, 200, 400.0])
    truths = ((100.0, 0.05, 1e-4), (100.0, 0.2, 1e-3), (100.0, 0.01, 1e-5))
    rows = []
    for truth in truths:
        held = np.zeros(3)
        for seed in range(count):
            error = np.random.default_rng([seed, 3]).normal(0, 0.03, len(ladder))
            fitted = fit_scalability(ladder, law(ladder, *truth) * np.exp(error))
            if isinstance(fitted, ScalabilityLaw):
                held += [
                    low <= true <= high for (low, high), true in zip(_intervals(fitted), truth, strict=True)
                ]
        least = held.min() / count
        beside = "rate, sigma, kappa: " + ", ".join(f"{each / count:.0%}" for each in held)
        what = f"law within its intervals, sigma {truth[1]:g}, kappa {truth[2]:g}"
        rows.append(Row(what, "≥ 93 %", f"{least:.0%}", beside, least >= 0.93))
    return rows


def _intervals(fitted: ScalabilityLaw) -> tuple[tuple[float, float], ...]:
    return fitted.rate_interval, fitted.sigma_interval, fitted.kappa_interval


def histories(count: int) -> list[Row]:
    """15 runs with 4 % noise; at run 10 they become 20 % slower, or not."""
    found = alarms = 0
    for seed in range(count):
        runs = np.random.default_rng([seed, 4]).normal(100, 4, 15)
        alarms += bool(change_points(runs))
        found += any(
            abs(change.index - 10) <= 1 for change in change_points(runs + 20 * (np.arange(15) >= 10))
        )
    return [
        Row(
            "20 % slower from run 10 of 15 on",
            "≥ 95 %",
            f"{found / count:.1%}",
            "place ± 1",
            found >= 0.95 * count,
        ),
        Row(
            "changes in a stable history", "≤ 2 %", f"{alarms / count:.1%}", "p < 1 %", alarms <= 0.02 * count
        ),
    ]


def lags(count: int) -> list[Row]:
    rows = []
    for phi in (0.0, 0.8, 0.95):
        pairs = (
            [ar1(phi)(np.random.default_rng([seed, side, 5]), 300) for side in (1, 2)]
            for seed in range(count)
        )
        found = [lagged_correlation(x, y, max_lag=10) for x, y in pairs]
        share = sum(each is not None and each.p < 0.01 for each in found) / count
        what = f"independent AR(1) {phi:g} said to follow each other"
        rows.append(Row(what, "≤ 2 %", f"{share:.1%}", "21 lags, p < 1 %", share <= 0.02))
    return rows


if __name__ == "__main__":
    main()
