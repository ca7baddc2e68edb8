"""How many connections a load needs, from rows as a sweep gives them, and what is judged of them."""

import pytest

from campaign.records import Evidence, Measurement, Outcome, Severity
from phases.database.pool.advice import advise
from phases.database.pool.part import PoolPart
from phases.database.settings import DatabaseSettings


def row(size, p99, *, timeouts=0, hold=0.01, lag=0.001, overflow=0, cut=False, errors=None):
    return {
        "size": size, "overflow": overflow, "offered": 1250, "done": 1250 - timeouts, "timeouts": timeouts,
        "errors": errors or {}, "wait": {"count": 1250, "p50": p99 / 2, "p99": p99, "low": p99, "high": p99},
        "hold": hold, "lag_p99": lag, "cut": cut, "connects": 0.0,
    }  # fmt: skip


REFUSED = {"access (42501): permission denied for function pg_sleep": 1225}
MEASURED = [row(2, 1.0, timeouts=284), row(3, 0.202), row(4, 0.0177), row(10, 0.0002)]
"""250 queries of 10 ms per second on PostgreSQL: a service time of 10 ms keeps 2.5 connections busy."""


def test_little_s_number_is_the_rate_times_the_time_that_a_connection_is_held():
    assert advise(MEASURED, rate=250, limit=0.05).busy == pytest.approx(2.5)


def test_the_knee_is_the_smallest_size_within_the_limit_and_the_advice_has_head_room():
    advice = advise(MEASURED, rate=250, limit=0.05)
    assert (advice.knee, advice.before, advice.before_wait, advice.recommended) == (4, 3, 0.202, 6)


@pytest.mark.parametrize(
    ("rows", "knee"),
    [
        (MEASURED[:2], None),  # none was enough
        ([row(2, 0.001, timeouts=1), row(3, 0.001)], 3),  # one that timed out is not enough, whatever its p99
        ([row(2, 0.001, lag=0.2), row(3, 0.001)], 3),  # where we did not keep time nothing is known
        ([row(2, 0.001, cut=True)], None),
        ([row(2, 0.001, errors=REFUSED), row(3, 0.001)], 3),  # what fails at once needs no connection
        ([], None),
        ([row(8, 0.001), row(4, 0.001)], 4),
    ],
)
def test_only_sound_steps_without_timeouts_count(rows, knee):
    assert advise(rows, rate=250, limit=0.05).knee == knee


def test_the_recommendation_is_never_below_little_s_number():
    advice = advise([row(9, 0.001, hold=0.1)], rate=100, limit=0.05)
    assert (advice.busy, advice.recommended) == (pytest.approx(10), 14)


def judged(facts, *, wait=None, trouble=None, **pool):
    settings = DatabaseSettings.model_validate({"pool": pool})
    measured = () if wait is None else (Measurement("pool.wait.p99", wait, "s", 1000, wait, wait),)
    recorded = {} if facts is None else {"pool": facts}
    if trouble:
        recorded["trouble"] = {"pool": trouble}
    findings = PoolPart().judge(Evidence(measured, (), recorded), settings)
    return {finding.check: finding for finding in findings}


def facts(**more):
    killed = {"killed": 3, "errors": 1, "broken": 0}
    room = {"limit": 100, "used": 20, "most": 40, "text": "80 of 100 are free, we take at most 40"}
    return {"rate": 250.0, "query": 0.01, "room": room, "steps": MEASURED, "checked": 5, "leaks": [],
            "killed": {"size": 3, "without": killed, "with": {**killed, "errors": 0}},
            "advice": advise(MEASURED, rate=250, limit=0.05).plain(), **more}  # fmt: skip


@pytest.mark.parametrize(
    ("wait", "outcome"), [(0.0002, Outcome.PASSED), (0.2, Outcome.WARNED), (0.6, Outcome.FAILED)]
)
def test_the_service_s_size_is_judged_by_the_p99_wait(wait, outcome):
    finding = judged(facts(service=row(2, wait)), wait=wait, size=2)["pool.size"]
    assert (finding.outcome, finding.severity) == (outcome, Severity.CRITICAL)
    assert "one of 2 connections at 250/s of 10 ms" in finding.message
    assert finding.remedy.startswith("Give the service's pool 6 connections")


def test_without_a_size_in_the_file_nothing_is_held_against_the_service():
    findings = judged(facts())
    assert findings["pool.size"].outcome is Outcome.INFORMATIONAL
    assert "the knee is at 4" in findings["pool.recommendation"].message
    assert "2.5 busy on average (Little's law)" in findings["pool.recommendation"].message


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        (facts(service=row(2, 0.6, lag=0.08)), "by our own doing"),
        (facts(service=row(2, 0.6, cut=True)), "stopped"),
        (facts(), "never reached"),
    ],
)
def test_a_size_that_was_not_tried_soundly_is_undecided(recorded, said):
    finding = judged(recorded, wait=0.6, size=2)["pool.size"]
    assert (finding.outcome, said in finding.message) == (Outcome.INCONCLUSIVE, True), finding.message


@pytest.mark.parametrize(("wait", "outcome"), [(0.0002, Outcome.INCONCLUSIVE), (0.6, Outcome.FAILED)])
def test_a_short_wait_for_connections_that_failing_queries_gave_back_at_once_proves_nothing(wait, outcome):
    finding = judged(facts(service=row(2, wait, errors=REFUSED)), wait=wait, size=2)["pool.size"]
    assert (finding.outcome, finding.severity) == (outcome, Severity.CRITICAL)
    if outcome is Outcome.INCONCLUSIVE:
        assert "1,225 of 1,250 queries failed (access (42501): permission denied" in finding.message
        assert finding.remedy.startswith("See why queries fail")


def test_no_size_is_recommended_from_queries_that_failed_and_why_is_said():
    steps = [row(2, 0.001, errors=REFUSED), row(4, 0.001, errors=REFUSED)]
    advice = advise(steps, rate=250, limit=0.05).plain()
    message = judged(facts(steps=steps, advice=advice))["pool.recommendation"].message
    assert "no size can be recommended for 250/s of 10 ms: 1,225 of 1,250 queries failed" in message


def test_a_size_for_which_the_server_has_no_room_is_undecided_and_says_why():
    finding = judged(facts(), size=30, overflow=11)["pool.size"]
    assert (finding.outcome, "80 of 100 are free" in finding.message) == (Outcome.INCONCLUSIVE, True)


def test_a_leak_fails_and_is_named():
    finding = judged(facts(leaks=["size 2: 1 checked out and not given back"]))["pool.leak"]
    assert (finding.outcome, finding.severity) == (Outcome.FAILED, Severity.CRITICAL)
    assert "size 2: 1 checked out" in finding.message


def test_a_pool_that_stays_broken_after_its_connections_were_killed_fails():
    broken = {"killed": 3, "errors": 9, "broken": 3}
    killed = {"size": 3, "without": broken, "with": broken}
    assert judged(facts(killed=killed))["pool.recovery"].outcome is Outcome.FAILED
    assert judged(facts())["pool.recovery"].outcome is Outcome.PASSED


def test_a_part_that_was_never_reached_is_undecided_in_all_that_was_planned():
    findings = judged(None, trouble="the server was gone", size=5)
    assert {
        check: (each.outcome, "the server was gone" in each.message) for check, each in findings.items()
    } == dict.fromkeys(("pool.size", "pool.leak", "pool.recovery"), (Outcome.INCONCLUSIVE, True))


def test_sqlite_has_no_pool_to_judge():
    findings = judged({"not_applicable": "SQLite is a file"}, size=5)
    assert {each.outcome for each in findings.values()} == {Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize(("written", "size"), [("", None), ("12", 12), (7, 7)])
def test_the_size_may_come_from_a_variable_that_is_not_set(written, size):
    assert DatabaseSettings.model_validate({"pool": {"size": written}}).pool.size == size


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"sizes": []},
        {"sizes": [0]},
        {"timeout": "100ms"},
        {"rate": "1000000/s"},
        {"wait": "10/s"},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="pool"):
        DatabaseSettings.model_validate({"pool": wrong})
