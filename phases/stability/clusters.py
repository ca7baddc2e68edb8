"""Whether failed requests came together, or evenly over the soak: told, and no verdict."""

from __future__ import annotations

import numpy as np

from campaign import checks
from campaign.records import Evidence, Finding, Series
from campaign.units import format_quantity
from phases.stability.windows import FAILURES, REQUESTS

FEWEST = 20
"""Failures below which nothing is said of how they lie."""

DRAWS, P = 999, 0.01
"""Soaks with as many failures that are spread evenly, and how few of them may lie as unevenly."""

MOST_OF_THEM = 0.8


def judge_clusters(evidence: Evidence) -> Finding:
    """A remark: where failures came together, by comparison with as many that are spread evenly over the
    requests (Monte Carlo test of the index of dispersion).
    """
    check = "errors.clustering"
    there = {each.name: each for each in evidence.series}
    if FAILURES not in there or REQUESTS not in there:
        return checks.informational(check, "failures were not counted by window")
    failures, served = there[FAILURES], there[REQUESTS]
    times, failed, answered = _by_window(failures, served)
    count = int(failed.sum())
    if count < FEWEST or not len(times):
        return checks.informational(
            check, f"{count:,} failures are too few to say whether they came together"
        )
    if _chance(failed, failed + answered) >= P:
        return checks.informational(check, f"{count:,} failures were spread evenly over the requests")
    most = np.argsort(-failed, kind="stable")
    windows = 1 + int(np.searchsorted(np.cumsum(failed[most]), MOST_OF_THEM * count))
    worst = format_quantity(float(times[most[0]]), "s")
    return checks.informational(
        check,
        f"{count:,} failures came together: {MOST_OF_THEM:.0%} of them in {windows:,} of {len(times):,} "
        f"windows, most of all {worst} after the campaign began",
    )


Counts = np.ndarray[tuple[int], np.dtype[np.float64]]


def _by_window(failures: Series, served: Series) -> tuple[Counts, Counts, Counts]:
    """When each window began, and what failed and was answered in it; across a gap nothing is known."""
    both = dict(zip(served.times, served.values, strict=True))
    totals = np.array(
        [
            (at, np.nan if failed is None else failed, np.nan if both.get(at) is None else both[at])
            for at, failed in zip(failures.times, failures.values, strict=True)
        ],
        dtype=np.float64,
    ).reshape(-1, 3)
    grown = np.diff(totals[:, 1:], axis=0, prepend=0.0)
    known = ~np.isnan(grown).any(axis=1)
    return totals[known, 0], grown[known, 0], grown[known, 1]


def _chance(failed: Counts, asked: Counts) -> float:
    """The share of evenly spread failures that lie as unevenly as these."""
    used = asked > 0
    count, shares = int(failed[used].sum()), asked[used] / asked[used].sum()
    expected = count * shares

    def dispersion(drawn: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Counts:
        spread: Counts = ((drawn - expected) ** 2 / expected).sum(axis=-1)
        return spread

    luck = np.random.default_rng(0)
    seen = float(dispersion(failed[used]))
    as_uneven = sum(
        float(dispersion(luck.multinomial(count, shares).astype(np.float64))) >= seen for _ in range(DRAWS)
    )
    return (as_uneven + 1) / (DRAWS + 1)
