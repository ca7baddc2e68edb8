"""One step: a pool of some shape under a load, as the row that is recorded and shown."""

from __future__ import annotations

from typing import Any

from campaign.records import Measurement
from campaign.stats.histogram import Histogram
from campaign.stats.intervals import percentile_limits
from phases.database.pool.bench import Shape, open_bench
from phases.database.pool.driver import Driver, Load, Tally, query_of
from phases.database.scene import Scene

US = 1e6
P99 = 0.99


async def run_step(scene: Scene, shape: Shape, load: Load, *, in_flight: int = 0) -> dict[str, Any]:
    """The row of a pool of this shape under this load; `leak` in it says what did not come back."""
    assert scene.server is not None  # noqa: S101 - the part needs one
    async with open_bench(scene.server, shape, patience=load.timeout) as bench:
        if shape.size:
            await bench.warm(query_of(scene.server.kind, min(load.query, 0.01)))
        before = bench.connects
        driver = Driver(bench, scene.context.clock, stopping=lambda: scene.stopping, in_flight=in_flight)
        tally = await driver.drive(load)
        connects = bench.connects - before
        leaks = [] if scene.stopping else [each for each in (await bench.leak(), await bench.close()) if each]
    row = row_of(shape, load, tally)
    return {**row, "connects": _per_thousand(connects, tally.taken), "leak": ", ".join(leaks)}


def row_of(shape: Shape, load: Load, tally: Tally) -> dict[str, Any]:
    """The step in figures: seconds, shares 0..1; `busy` is how many connections were out on average."""
    busy = tally.held / tally.elapsed if tally.elapsed else 0.0
    return {
        "size": shape.size,
        "overflow": shape.overflow,
        "rate": load.rate,
        "query": load.query,
        "offered": load.count,
        "done": tally.done,
        "timeouts": tally.timeouts,
        "errors": dict(tally.errors.most_common(5)),
        "wait": _times(tally.waits),
        "hold": tally.held / tally.taken if tally.taken else None,
        "busy": busy,
        "peak": tally.peak,
        "occupancy": min(1.0, busy / shape.most) if shape.most else None,
        "achieved": _achieved(load, tally),
        "lag_p99": _seconds(tally.lags.percentile(P99)),
        "held_back": tally.held_back,
        "sessions": {state: count / tally.glances for state, count in sorted(tally.states.items())},
        "cut": tally.done + tally.timeouts + tally.errors.total() + tally.held_back < load.count,
    }


def _achieved(load: Load, tally: Tally) -> float | None:
    """The share of the asked rate that was done: what failed is missing, what ended late was too slow."""
    if not tally.sent or not tally.elapsed:
        return None
    return tally.done / load.count * min(1.0, (tally.span + 2 * load.query) / tally.elapsed)


def wait_measured(name: str, row: dict[str, Any]) -> Measurement:
    """The 99th percentile of the waits of a row, with its limits."""
    wait = row["wait"]
    return Measurement(name, wait["p99"], "s", wait["count"], wait["low"], wait["high"])


def _times(histogram: Histogram) -> dict[str, Any]:
    low, high = percentile_limits(histogram, P99) if histogram.count else (None, None)
    return {
        "count": histogram.count,
        "p50": _seconds(histogram.percentile(0.5)),
        "p99": _seconds(histogram.percentile(P99)),
        "max": _seconds(histogram.maximum),
        "low": _seconds(low),
        "high": _seconds(high),
    }


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / US


def _per_thousand(connects: int, checkouts: int) -> float | None:
    return 1000 * connects / checkouts if checkouts else None
