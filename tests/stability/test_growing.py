"""What grows is a leak only where it was seen to, for long enough; what was not seen is never "no leak"."""

import math

import numpy as np
import pytest

from campaign.records import Evidence, Measurement, Outcome, Series, Severity
from phases.stability.judge import judge_stability
from phases.stability.settings import StabilitySettings
from phases.stability.windows import LOW

HOUR, MIB = 3600.0, 2.0**20
SETTINGS = StabilitySettings(hours=2.0)


def memory(per_hour, *, hours=2.0, noise=0.2, warm_up=20.0, every=3.0):
    """Least memory of each window in bytes: a warm-up, growth in MiB an hour, and noise of that many MiB."""
    luck = np.random.default_rng(7)
    at = np.arange(0.0, hours * HOUR, every)
    values = 80 - warm_up * np.exp(-at / 120) + per_hour * at / HOUR + luck.normal(0, noise, len(at))
    return Series(LOW + "target.memory", "B", tuple(at), tuple(values * MIB))


def level(name, unit, value, *, hours=2.0, every=3.0):
    luck = np.random.default_rng(3)
    at = np.arange(0.0, hours * HOUR, every)
    return Series(name, unit, tuple(at), tuple(value * luck.normal(1, 0.002, len(at))))


def evidence(*series, **facts):
    hours = 2.0
    at = tuple(np.arange(0.0, hours * HOUR, 3.0))
    requests = Series("soak.requests", "requests", at, tuple(100 * each for each in at))
    service = {"up": 7200.0, "down": 0.0, "idle": 0.0, "first_failure": None, "outages": 0, "when": []}
    soak = {
        "began": 0.0, "planned": 7200.0, "held": 7200.0, "users": 100, "asked": 720_000, "failed": 10,
        "longest_stall": 0.2, "load_reached": 1.0, "saturation": "", "errors": [],
    }  # fmt: skip
    quiet = (
        level("soak.p50", "s", 0.02),
        level("soak.p95", "s", 0.05),
        Series("soak.error_rate", "share", at, tuple(0.0 for _ in at)),
        Series(LOW + "target.threads", "threads", at, tuple(7.0 for _ in at)),
        Series(LOW + "target.files", "files", at, tuple(60.0 + i % 3 for i in range(len(at)))),
    )
    named = {each.name for each in series}
    return Evidence(
        (
            Measurement.exact("memory.before", 80 * MIB, unit="B", count=1),
            Measurement.exact("memory.peak", 90 * MIB, unit="B", count=1),
            Measurement.exact("memory.after", 85 * MIB, unit="B", count=1),
        ),
        (*series, requests, *(each for each in quiet if each.name not in named)),
        {
            "soak": soak,
            "service": service,
            "restarts": {"at": [], "seen": True},
            "afterwards": {"well": True, "detail": "status 200"},
            **facts,
        },
    )


def judged(*series, settings=SETTINGS, **facts):
    return {each.check: each for each in judge_stability(evidence(*series, **facts), settings)}


def failed(found):
    return {name for name, each in found.items() if each.outcome is Outcome.FAILED}


def test_a_sound_target_passes_everything():
    found = judged(memory(0.0))
    assert failed(found) == set()
    others = {name for name, each in found.items() if each.outcome is not Outcome.PASSED}
    assert others == {"errors.clustering"}, "which is a remark"
    assert "an hour would have been seen" in found["growth.target.memory"].message


def test_a_leak_is_told_with_its_growth_and_when_the_room_is_used_up():
    found = judged(memory(60.0))
    assert failed(found) == {"growth.target.memory"}
    leak = found["growth.target.memory"]
    assert leak.severity is Severity.CRITICAL
    assert "an hour (95 % interval" in leak.message
    assert "for each request" in leak.message
    assert "used up 8." in leak.message, "512 MiB at 60 MiB an hour are half a day less what it grew by"
    assert "h after the end of this run" in leak.message


def test_growth_that_never_uses_up_the_room_is_no_leak():
    roomy = StabilitySettings(hours=2.0, head_room={"target.memory": "512MiB"}, horizon="1h")
    assert failed(judged(memory(60.0), settings=roomy)) == set()


@pytest.mark.parametrize(("per_hour", "outcome"), [(15.0, Outcome.INCONCLUSIVE), (900.0, Outcome.FAILED)])
def test_minutes_foretell_no_week(per_hour, outcome):
    at = np.arange(0.0, 180.0, 1.0)
    luck = np.random.default_rng(7)
    values = (80 + per_hour * at / HOUR + luck.normal(0, 0.01, len(at))) * MIB
    found = judged(Series(LOW + "target.memory", "B", tuple(at), tuple(values)))["growth.target.memory"]
    assert found.outcome is outcome
    if outcome is Outcome.INCONCLUSIVE:
        assert "too few to tell that from a warm-up; if it goes on for 4" in found.message, "41 minutes"


def test_a_warm_up_alone_is_no_leak():
    assert failed(judged(memory(0.0, warm_up=200.0))) == set()


@pytest.mark.parametrize("hours", [0.01, 0.05])
def test_a_short_soak_is_undecided(hours):
    found = judged(memory(0.0, hours=hours))
    assert found["growth.target.memory"].outcome is Outcome.INCONCLUSIVE


def test_what_was_not_seen_is_undecided():
    gone = Series(LOW + "target.memory", "B", (1.0, 2.0), (None, None))
    found = judged(gone, settings=StabilitySettings(growing=["target.memory", "redis.memory"]))
    for name in ("growth.target.memory", "growth.redis.memory"):
        assert found[name].outcome is Outcome.INCONCLUSIVE
        assert "was not seen" in found[name].message


def test_gaps_are_gaps():
    whole = memory(60.0)
    holes = tuple(
        None if 1000 < at < 2500 else value for at, value in zip(whole.times, whole.values, strict=True)
    )
    found = judged(Series(whole.name, "B", whole.times, holes))
    assert failed(found) == {"growth.target.memory"}


def test_latency_that_creeps_is_drift_and_not_a_leak():
    at = np.arange(0.0, 2 * HOUR, 3.0)
    luck = np.random.default_rng(5)
    creeping = Series(
        "soak.p50", "s", tuple(at), tuple(0.02 * (1 + at / HOUR) + luck.normal(0, 5e-4, len(at)))
    )
    found = judged(memory(0.0), creeping)
    assert failed(found) == {"drift.p50"}
    assert found["drift.p50"].severity is Severity.IMPORTANT


def test_a_restart_is_told_and_growth_is_not_looked_for_across_it():
    at = np.arange(0.0, 2 * HOUR, 3.0)
    luck = np.random.default_rng(5)
    values = 80 + 60 * (at % HOUR) / HOUR + luck.normal(0, 0.2, len(at))
    sawn = Series(LOW + "target.memory", "B", tuple(at), tuple(values * MIB))
    found = judged(sawn, restarts={"at": [3600.0], "seen": True})
    assert failed(found) == {"growth.target.memory", "restarts"}
    assert "restarted 1 times" in found["restarts"].message


def test_a_process_that_was_not_seen_proves_no_absence_of_restarts():
    found = judged(memory(0.0), restarts={"at": [], "seen": False})
    assert found["restarts"].outcome is Outcome.INCONCLUSIVE


def test_a_restart_that_nobody_saw_is_undecided_and_memory_is_not_compared_across_it():
    found = judged(memory(0.0), restarts={"at": [], "unwatched": [3600.0], "seen": True})
    assert found["restarts"].outcome is Outcome.INCONCLUSIVE
    assert found["memory.growth"].outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("up", "down", "outcome"),
    [
        (7200, 0, Outcome.PASSED),
        (600, 0, Outcome.INCONCLUSIVE),
        (7000, 200, Outcome.FAILED),
        (0, 0, Outcome.INCONCLUSIVE),
    ],
)
def test_uptime_is_proved_by_enough_seconds_alone(up, down, outcome):
    service = {"up": up, "down": down, "idle": 0, "first_failure": 3.0, "outages": int(down > 0), "when": []}
    assert judged(memory(0.0), service=service)["uptime"].outcome is outcome


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ({"answers": 5000, "seen": 0, "sightings": []}, Outcome.PASSED),
        ({"answers": 0, "seen": 0, "sightings": []}, Outcome.INCONCLUSIVE),
        ({"answers": 5000, "seen": 1, "sightings": []}, Outcome.FAILED),
    ],
)
def test_canaries_ride_along(found, outcome):
    check = judged(memory(0.0), canaries=found)["isolation"]
    assert (check.outcome, check.severity) == (outcome, Severity.BLOCKER)


def test_nothing_recorded_passes_nothing():
    found = tuple(judge_stability(Evidence(), SETTINGS))
    verdicts = [each for each in found if each.check != "errors.clustering"]
    assert {each.outcome for each in verdicts} == {Outcome.INCONCLUSIVE}
    assert len(found) >= 10


def failures(by_window):
    at = tuple(float(place) for place in range(len(by_window)))
    requests = Series("soak.requests", "requests", at, tuple(100 * (each + 1) for each in at))
    failed = Series("soak.failures", "requests", at, tuple(map(float, np.cumsum(by_window))))
    return Evidence((), (requests, failed))


@pytest.mark.parametrize(
    ("by_window", "told"),
    [
        ([0] * 200, "0 failures are too few"),
        ([2, 1, 0, 1] * 50, "200 failures were spread evenly"),
        ([0] * 100 + [40, 40] + [0] * 98, "80 failures came together: 80% of them in 2 of 200 windows"),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 5] * 20, "100 failures came together: 80% of them in 16 of 200 windows"),
    ],
)
def test_failures_that_came_together_are_told_from_those_spread_evenly(by_window, told):
    (found,) = (e for e in judge_stability(failures(by_window), SETTINGS) if e.check == "errors.clustering")
    assert found.outcome is Outcome.INFORMATIONAL
    assert told in found.message


def test_a_generator_that_was_saturated_accuses_nobody_of_drift():
    at = np.arange(0.0, 2 * HOUR, 3.0)
    creeping = Series("soak.p50", "s", tuple(at), tuple(0.02 * (1 + at / HOUR) + 1e-5 * np.sin(at)))
    soak = {**evidence().facts["soak"], "saturation": "event-loop lag p99 80 ms (at most 50 ms)"}
    assert judged(memory(0.0), creeping, soak=soak)["drift.p50"].outcome is Outcome.INCONCLUSIVE


def test_a_share_of_nan_is_a_gap():
    whole = memory(60.0)
    values = tuple(math.nan if i % 7 == 0 else value for i, value in enumerate(whole.values))
    assert failed(judged(Series(whole.name, "B", whole.times, values))) == {"growth.target.memory"}
