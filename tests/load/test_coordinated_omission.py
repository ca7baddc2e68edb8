"""A server that freezes on a known schedule: our percentiles are those of everybody who wanted an answer.

The observer (benchmarks/frozen.py) is a program of its own, which shares no code with the generator. It runs
at the same time, at the same rate, against the same server.
"""

from __future__ import annotations

import runpy
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from campaign.load.profile import Segment
from campaign.load.spec import Model, ScenarioSpec
from campaign.load.tally import Stage
from campaign.target.spec import OptionsSpec

frozen = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/frozen.py")))

STALL = frozen.STALL
OPTIONS = OptionsSpec(timeout=20.0)


@pytest.fixture
def frozen_server():
    """A server that answers at once while it is not frozen; `port` is where."""
    with frozen.frozen_server() as server:
        yield server


@pytest.mark.parametrize(
    "load",
    [(50, 20.0, 0), (200, 16.0, 1400)],
    ids=["50 arrivals/s", "200 arrivals/s on warm connections"],
)
@pytest.mark.slow
def test_percentiles_are_those_of_an_observer_at_a_constant_rate(
    frozen_server, make_plan, run_here, operation, load
):
    rate, seconds, ready = load
    ahead = ready / 400 + 1.0
    begins = time.monotonic() + ahead + 1.0
    with frozen.observed(frozen_server, rate=rate, seconds=seconds, ready=ready, begins=begins) as observer:
        outcome = run_here(
            plan_of(frozen_server.port, make_plan, operation, rate=rate, seconds=seconds, ready=ready,
                    ahead=begins - time.monotonic())
        )  # fmt: skip
        seen = observer()
    ours = outcome.tallies["work", Stage.HOLD]
    assert outcome.errors == ()
    assert outcome.load_reached == 1.0
    assert ours.count == len(seen) == round(rate * seconds)
    for share in (0.5, 0.9, 0.99, 0.999):
        expected = frozen.percentile(seen, share)
        found = ours.response.percentile(share) / 1e6
        # 2 %, and what two programs on one busy machine may differ by where a percentile is milliseconds.
        assert found == pytest.approx(expected, rel=0.02, abs=0.02), share
    # Arrivals in the stall waited for what was left of it; what counts from the send says something else
    # wherever a request could not be sent at once, and so does a tool that sends nothing meanwhile.
    left = STALL - 0.01 * seconds
    assert ours.response.percentile(0.99) / 1e6 == pytest.approx(left, rel=0.02, abs=0.03)
    assert outcome.longest_stall == pytest.approx(STALL, abs=0.3)


def plan_of(port, make_plan, operation, *, rate, seconds, ready, ahead):
    segments = Segment(0, ahead), Segment(rate, 0), Segment(rate, seconds)
    scenario = ScenarioSpec(
        "frozen", segments, (ahead, ahead + seconds), Model.OPEN, ready=ready, most=max(ready, 400)
    )
    operations = [operation(name, "/", options=OPTIONS) for name in (["warm", "work"] if ready else ["work"])]
    start = ("warm",) if ready else ()
    return make_plan(f"http://127.0.0.1:{port}", *operations, start=start, scenario=scenario)


@pytest.mark.slow
def test_what_others_would_report_is_off_by_orders(frozen_server, make_plan, run_here, operation):
    """The same stall seen by users who wait for their answers, and by arrivals that may wait for a user."""
    begins = time.monotonic() + 1.0
    freezer = frozen.Freezer(frozen_server.pid, start=begins, after=2.0)
    freezer.start()
    try:
        plan = plan_of(
            frozen_server.port, make_plan, operation, rate=50, seconds=9.0, ready=0,
            ahead=begins - time.monotonic(),
        )  # fmt: skip
        outcome = run_here(replace(plan, scenario=replace(plan.scenario, most=5)))
    finally:
        freezer.join()
    tally = outcome.tallies["work", Stage.HOLD]
    response, service = (each.percentile(0.95) / 1e6 for each in (tally.response, tally.service))
    # Of 450 arrivals only 5 were under way in the stall: counted from the send 98 % took milliseconds.
    assert response == pytest.approx(STALL - 0.05 * 9.0, rel=0.02, abs=0.05)
    assert service < response / 20
    assert tally.count == 450
