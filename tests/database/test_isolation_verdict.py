"""What a recorded run of a schedule proves, and the traps in which one sees what is not there."""

import pytest

from campaign.database.failure import Failure, FailureKind
from phases.database.isolation.anomalies import Anomaly
from phases.database.isolation.verdicts import Result, Run, Verdict, together, verdict

BOTH = {1, 2}
SERIALIZATION = Failure(FailureKind.SERIALIZATION, "40001", "could not serialize access")
NO_TABLE = Failure(FailureKind.OTHER, "42P01", "relation does not exist")
FIRST, OLD = ((1, 10),), ((1, 10), (2, 20))

HAPPENED = {
    Anomaly.G0: Run(committed=BOTH, final=((1, 11), (2, 22))),
    Anomaly.G1A: Run(reads={"during": ((1, 101),), "after": FIRST}, committed={2}),
    Anomaly.G1B: Run(reads={"during": ((1, 101),), "after": ((1, 11),)}, committed=BOTH),
    Anomaly.G1C: Run(reads={"one": ((2, 22),), "two": ((1, 11),)}, committed=BOTH),
    Anomaly.OTV: Run(reads={"first": ((1, 12), (2, 19)), "second": ((1, 12), (2, 18))}, committed={1, 2, 3}),
    Anomaly.PMP: Run(reads={"before": (), "after": ((3, 30),)}, committed=BOTH),
    Anomaly.P4: Run(reads={"one": FIRST, "two": FIRST}, committed=BOTH),
    Anomaly.G_SINGLE: Run(reads={"before": FIRST, "after": ((2, 18),)}, committed=BOTH),
    Anomaly.G2_ITEM: Run(reads={"one": OLD, "two": OLD}, committed=BOTH),
    Anomaly.G2: Run(reads={"one": (), "two": ()}, committed=BOTH),
}


@pytest.mark.parametrize("anomaly", Anomaly)
def test_each_anomaly_is_seen_where_it_happened(anomaly):
    assert verdict(anomaly, HAPPENED[anomaly]).result is Result.HAPPENED


@pytest.mark.parametrize("anomaly", [Anomaly.P4, Anomaly.G2_ITEM, Anomaly.G2])
def test_two_commits_without_stale_reads_are_one_after_the_other(anomaly):
    later = {Anomaly.P4: ((1, 11),), Anomaly.G2_ITEM: ((1, 11), (2, 20)), Anomaly.G2: ((3, 30),)}
    run = Run(reads=HAPPENED[anomaly].reads | {"two": later[anomaly]}, committed=BOTH, blocked={2})
    assert verdict(anomaly, run) == Verdict(Result.PREVENTED, "blocked")


@pytest.mark.parametrize("anomaly", [Anomaly.P4, Anomaly.G1C, Anomaly.G2_ITEM, Anomaly.G2])
def test_what_one_of_them_did_not_commit_did_not_happen(anomaly):
    run = Run(reads=HAPPENED[anomaly].reads, committed={1}, failures={2: SERIALIZATION})
    assert verdict(anomaly, run) == Verdict(Result.PREVENTED, "aborted (40001)")


@pytest.mark.parametrize("anomaly", [Anomaly.G0, Anomaly.P4, Anomaly.G2_ITEM, Anomaly.G2])
@pytest.mark.parametrize("committed", [set(), {1}, BOTH])
def test_two_writers_that_never_met_prove_nothing(anomaly, committed):
    later = {"one": ((1, 77), (2, 77)), "two": ((1, 77), (2, 77))}
    found = verdict(anomaly, Run(reads=later, committed=committed, final=((1, 11), (2, 21))))
    assert found == Verdict(Result.NOT_EXERCISED, "the two never met: none had to wait and none was refused")


@pytest.mark.parametrize("anomaly", Anomaly)
def test_a_statement_that_is_slow_by_itself_proves_nothing(anomaly):
    innocent = dict.fromkeys(
        ("during", "after", "one", "two", "first", "second", "before"), ((1, 77), (2, 77))
    )
    run = Run(reads=innocent, committed=BOTH, final=((1, 12), (2, 22)), blocked={1}, slow={2})
    assert verdict(anomaly, run).result is Result.NOT_EXERCISED


@pytest.mark.parametrize("anomaly", sorted(set(Anomaly) - {Anomaly.G0}))
def test_a_reader_that_never_ran_proves_nothing(anomaly):
    assert verdict(anomaly, Run(committed=BOTH, final=((1, 11), (2, 21)))).result is Result.NOT_EXERCISED


@pytest.mark.parametrize("anomaly", Anomaly)
def test_a_failure_that_has_nothing_to_do_with_the_others_proves_nothing(anomaly):
    found = verdict(anomaly, Run(committed={1}, failures={2: NO_TABLE}))
    assert (found.result, "42P01" in found.how) == (Result.NOT_EXERCISED, True)


def test_a_lock_that_is_waited_for_too_long_is_a_refusal_on_sqlite_alone():
    for code, result in (("SQLITE_BUSY", Result.PREVENTED), ("55P03", Result.NOT_EXERCISED)):
        run = Run(committed={1}, failures={2: Failure(FailureKind.LOCK_TIMEOUT, code, "")})
        assert verdict(Anomaly.P4, run).result is result


def test_what_happened_once_happens():
    prevented, nothing = Verdict(Result.PREVENTED, "snapshot"), Verdict(Result.NOT_EXERCISED, "why")
    assert together([prevented, Verdict(Result.HAPPENED, "seen"), prevented]).result is Result.HAPPENED
    assert together([nothing, prevented, Verdict(Result.PREVENTED, "blocked")]) == Verdict(
        Result.PREVENTED, "snapshot, blocked"
    )
    assert together([nothing]) == nothing
    assert together([]).result is Result.NOT_EXERCISED
