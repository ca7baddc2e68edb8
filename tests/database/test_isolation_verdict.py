"""What recorded steps of a schedule prove, and what they do not."""

import pytest

from campaign.database.failure import Failure, FailureKind
from phases.database.isolation.anomalies import ANOMALIES, forbidden
from phases.database.isolation.schedules import SCHEDULES
from phases.database.isolation.trace import Outcome, Ruling, Trace, Verdict

P4 = next(each for each in SCHEDULES if each.anomaly == "P4")
OLD = Outcome(rows=((10,),))
WROTE = Outcome(count=1)
DONE = Outcome()
LOST = {"r1": OLD, "r2": OLD, "u1": WROTE, "u2": WROTE, "c1": DONE, "c2": DONE}


def refused(kind, code):
    return Outcome(failure=Failure(kind, code, "no"))


def ruling(changes, *, without=(), trouble=""):
    steps = {label: each for label, each in {**LOST, **changes}.items() if label not in without}
    return P4.ruling(Trace(steps, {1: 12, 2: 20}, trouble))


def test_stale_reads_and_both_commits_are_a_lost_update():
    assert Ruling(Verdict.HAPPENED) == ruling({})


def test_two_commits_without_a_stale_read_are_none():
    late = {"r2": Outcome(rows=((11,),), blocked=True)}
    assert Ruling(Verdict.PREVENTED, "blocked") == ruling(late)


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        (FailureKind.SERIALIZATION, "40001", Ruling(Verdict.PREVENTED, "aborted 40001")),
        (FailureKind.LOCK_TIMEOUT, "SQLITE_BUSY", Ruling(Verdict.PREVENTED, "aborted SQLITE_BUSY")),
        (FailureKind.LOCK_TIMEOUT, "55P03", Ruling(Verdict.NOT_EXERCISED, "lock timeout (55P03): no")),
        (FailureKind.OTHER, "42P01", Ruling(Verdict.NOT_EXERCISED, "error (42P01): no")),
    ],
)
def test_only_a_refusal_of_the_database_prevents(kind, code, expected):
    assert expected == ruling({"u2": refused(kind, code)}, without=("c2",))


def test_a_reader_that_never_ran_proves_nothing():
    expected = Ruling(Verdict.NOT_EXERCISED, "step r2 never ran")
    assert expected == ruling({}, without=("r2", "u2", "c2"))


def test_a_refusal_before_the_conflict_came_about_proves_nothing():
    early = {"u1": refused(FailureKind.DEADLOCK, "40P01")}
    expected = Ruling(Verdict.NOT_EXERCISED, "step r2 never ran")
    assert expected == ruling(early, without=("r2", "u2", "c1", "c2"))


def test_what_broke_off_proves_nothing():
    assert Ruling(Verdict.NOT_EXERCISED, "no answer") == ruling({}, trouble="no answer")


def test_every_anomaly_has_its_schedule_and_its_steps_their_labels():
    assert set(ANOMALIES) == {each.anomaly for each in SCHEDULES}
    for schedule in SCHEDULES:
        labels = [step.label for step in schedule.steps]
        assert len(labels) == len(set(labels))
        assert set(schedule.needs) <= set(labels)


def test_requirements_forbid_what_their_level_promises():
    assert tuple(ANOMALIES) == forbidden("serializable")
    assert forbidden("no lost update") == ("P4",)
    assert set(ANOMALIES) - {"G2-item", "G2"} == set(forbidden("repeatable read"))
    assert forbidden(("G2",)) == ("G2",)
