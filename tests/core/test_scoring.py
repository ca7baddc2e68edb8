"""The score as a pure function: the runs worked by hand, the edges of the bands, and what may not happen."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign import checks
from campaign.gate import improvements, judge_gate
from campaign.records import (
    Band,
    Evidence,
    Limit,
    Measurement,
    PhaseResult,
    Reason,
    ReasonKind,
    Severity,
    Status,
    StopReason,
)
from campaign.scoring import DEFAULT_WEIGHTS, Policy, score_campaign

MINOR, IMPORTANT, CRITICAL, BLOCKER = Severity.MINOR, Severity.IMPORTANT, Severity.CRITICAL, Severity.BLOCKER


def passed(count=1, severity=IMPORTANT):
    return [checks.holds(f"p{i}", ok=True, message="ok", severity=severity) for i in range(count)]


def failed(count=1, severity=IMPORTANT):
    return [checks.holds(f"f{i}", ok=False, message="bad", severity=severity) for i in range(count)]


def undecided(count=1, severity=IMPORTANT):
    return [checks.inconclusive(f"u{i}", "unknown", severity=severity) for i in range(count)]


def phase(name, findings=(), *, label=None, reason=None, status=None):
    status = status or (Status.COMPLETED if reason is None else Status.SKIPPED)
    why = None if reason is None else Reason(reason, "because")
    return PhaseResult(label or name, name, name, status, Evidence(), tuple(findings), reason=why)


def everything(**replaced):
    return [replaced.get(name) or phase(name, passed(5)) for name in DEFAULT_WEIGHTS]


def verdict(results, policy=None, stop=StopReason.FINISHED):
    policy = policy or Policy()
    score = score_campaign(results, policy)
    return score, judge_gate(results, score, policy=policy, stop=stop)


# -- the runs worked by hand


def test_all_but_failover_with_four_of_33_safety_checks_undecided_is_ready_in_scope():
    skipped = phase("failover", reason=ReasonKind.REQUESTED)
    safety = phase("safety", [*passed(29), *undecided(4)])
    score, gate = verdict(everything(failover=skipped, safety=safety))
    assert (gate.passed, gate.exit_code, gate.headline) == (True, 0, "ready in scope")
    assert (score.band, score.bounds.score) == (Band.READY_IN_SCOPE, 100)
    assert score.bounds.lower_bound == pytest.approx(100 - 25 * 4 / 33 / 85 * 100)
    assert (score.scope.weight, score.scope.total, score.scope.not_assessed) == (85, 100, ("failover",))


def test_one_failed_blocker_caps_at_59_and_exits_1():
    safety = phase("safety", [*passed(32), *failed(1, BLOCKER)])
    score, gate = verdict(everything(safety=safety))
    assert (score.bounds.score, score.bounds.lower_bound, score.bounds.upper_bound) == (59, 59, 59)
    assert score.uncapped.score == pytest.approx(100 - 25 * 10 / (32 * 3 + 10))
    assert (score.band, gate.exit_code, gate.headline) == (Band.NOT_READY, 1, "not ready")


def test_half_undecided_and_the_rest_perfect_is_not_proven():
    results = [phase(name, [*passed(3), *undecided(3)]) for name in DEFAULT_WEIGHTS]
    score, gate = verdict(results)
    assert (score.bounds.score, score.bounds.lower_bound, score.bounds.upper_bound) == (100, 50, 100)
    assert (gate.exit_code, gate.headline) == (3, "not proven")


def test_only_load_run_and_all_passed_is_ready_in_scope():
    score, gate = verdict([phase("load", passed(9))])
    assert (gate.exit_code, gate.headline, score.band) == (0, "ready in scope", Band.READY_IN_SCOPE)
    assert (score.scope.weight, score.scope.total, score.scope.assessed) == (20, 100, ("load",))


def test_target_down_is_not_measured():
    results = [
        phase(name, undecided(2, CRITICAL), reason=ReasonKind.TARGET_UNREACHABLE) for name in DEFAULT_WEIGHTS
    ]
    score, gate = verdict(results, stop=StopReason.TARGET_UNREACHABLE)
    assert (score.bounds.score, score.band, gate.headline) == (None, Band.NOT_MEASURED, "not measured")
    assert (gate.exit_code, gate.reasons) == (3, ("because",))


def test_an_undecided_blocker_alone_stops_the_gate():
    safety = phase("safety", [*passed(100), *undecided(1, BLOCKER)])
    score, gate = verdict(everything(safety=safety))
    assert score.bounds.lower_bound > 97
    assert (gate.exit_code, gate.headline) == (3, "not proven")


@pytest.mark.parametrize("findings", [passed(5), []])
def test_a_phase_that_broke_off_stops_the_gate_however_well_the_rest_looks(findings):
    broken = phase("benchmark", findings, reason=ReasonKind.CRASHED, status=Status.ERROR)
    score, gate = verdict(everything(benchmark=broken))
    assert score.bounds.lower_bound >= 95
    assert (gate.exit_code, gate.headline, gate.reasons) == (3, "not proven", ("benchmark: because",))


# -- more tables


def test_everything_passed_is_production_ready():
    score, gate = verdict(everything())
    assert (score.band, gate.exit_code, gate.headline) == (Band.PRODUCTION_READY, 0, "production ready")
    assert score.scope.required_missing == ()


def test_a_quick_run_is_ready_in_scope_at_best():
    score, gate = verdict(everything(), Policy(quick=True))
    assert (score.band, gate.exit_code, gate.headline) == (Band.READY_IN_SCOPE, 0, "ready in scope")


def test_a_failed_critical_finding_caps_at_79_and_exits_1():
    score, gate = verdict(everything(load=phase("load", [*passed(99), *failed(1, CRITICAL)])))
    assert (score.bounds.lower_bound, score.band, gate.exit_code) == (79, Band.CONDITIONAL, 1)


def test_of_two_caps_the_lower_holds_and_both_are_named():
    load = phase("load", [*passed(9), *failed(2, CRITICAL)])
    safety = phase("safety", [*passed(9), *failed(1, BLOCKER)])
    score, gate = verdict(everything(load=load, safety=safety))
    assert score.bounds.score == 59
    assert [(cap.ceiling, cap.count) for cap in score.caps] == [(59, 1), (79, 2)]
    assert len(gate.reasons) >= 2


def test_a_cap_never_raises_a_score():
    score, _ = verdict([phase("load", [*passed(1, MINOR), *failed(1, BLOCKER)])])
    assert score.bounds.score == pytest.approx(100 / 11)


def test_important_failures_alone_fail_the_gate_when_even_the_upper_bound_misses_the_mark():
    _, gate = verdict([phase("load", [*passed(1), *failed(1)])])
    assert (gate.exit_code, gate.headline) == (1, "not ready")


def test_a_lower_bound_under_the_mark_that_the_upper_bound_reaches_could_not_be_judged():
    _, gate = verdict([phase("load", [*passed(7), *undecided(3)])])
    assert gate.exit_code == 3


@pytest.mark.parametrize("severity", [BLOCKER, CRITICAL, IMPORTANT, MINOR])
def test_a_phase_left_out_on_request_leaves_the_plan_whatever_it_holds(severity):
    left = phase("stress", failed(3, severity), reason=ReasonKind.REQUESTED)
    score, gate = verdict(everything(stress=left))
    assert (score.bounds.score, gate.exit_code, score.scope.not_assessed) == (100, 0, ("stress",))


@pytest.mark.parametrize(
    "kind", [ReasonKind.NOT_INSTALLED, ReasonKind.REQUIREMENT_MISSING, ReasonKind.REFUSED]
)
def test_a_phase_that_could_not_run_stays_in_the_plan_and_counts_nothing(kind):
    score, gate = verdict(everything(database=phase("database", reason=kind)))
    assert (score.bounds.score, score.bounds.lower_bound) == (100, pytest.approx(85))
    assert score.scope.required_missing == ("database",)
    assert (gate.headline, score.coverage) == ("ready in scope", pytest.approx(0.85))


def test_no_phases_at_all_is_not_measured():
    score, gate = verdict([])
    assert (score.bounds.score, score.band, gate.exit_code) == (None, Band.NOT_MEASURED, 3)


def test_a_phase_without_findings_is_not_judged():
    score, gate = verdict([phase("load")])
    assert (score.bounds.score, gate.exit_code) == (None, 3)


@pytest.mark.parametrize(
    "weights", [{"load": 1, "stress": 1}, {"load": 700, "stress": 700}, {"load": 0.1, "stress": 0.1}]
)
def test_weights_may_sum_to_anything(weights):
    results = [phase("load", passed(1)), phase("stress", failed(1))]
    score, _ = verdict(results, Policy(weights=weights))
    assert score.bounds.score == pytest.approx(50)


def test_a_phase_of_weight_nothing_changes_nothing():
    score, _ = verdict(
        [phase("load", passed(1)), phase("mine", failed(1))], Policy(weights={"load": 1, "mine": 0})
    )
    assert score.bounds.score == 100


def test_a_phase_in_which_nothing_applies_leaves_the_plan():
    nothing = phase(
        "stress", [checks.not_applicable("n", "no such thing here"), checks.informational("i", "fyi")]
    )
    score, gate = verdict(everything(stress=nothing))
    assert (score.bounds.lower_bound, score.coverage, gate.exit_code) == (100, 1, 0)


def test_only_weightless_phases_is_not_measured():
    score, _ = verdict([phase("load", passed(1))], Policy(weights={"load": 0}))
    assert score.bounds.score is None


def test_labels_of_one_kind_share_its_weight():
    results = [
        phase("load", passed(1)),
        phase("safety", passed(1)),
        phase("safety", passed(1), label="again"),
    ]
    score, _ = verdict(results)
    assert {each.phase: each.weight for each in score.phases} == {"load": 20, "safety": 12.5, "again": 12.5}
    own, _ = verdict(results, Policy(weights={**DEFAULT_WEIGHTS, "again": 3}))
    assert {each.phase: each.weight for each in own.phases} == {"load": 20, "safety": 25, "again": 3}


BANDS = [
    (100, Band.READY_IN_SCOPE), (90, Band.READY_IN_SCOPE), (89.999, Band.GOOD), (80, Band.GOOD),
    (79.999, Band.CONDITIONAL), (60, Band.CONDITIONAL), (59.999, Band.NOT_READY), (0, Band.NOT_READY),
]  # fmt: skip


@pytest.mark.parametrize(("points", "band"), BANDS)
def test_the_bands_begin_at_their_edges(points, band):
    limit = Limit(0.0, 50.0, "x")
    value = Measurement.exact("m", 100.0 - points, unit="x")
    score, _ = verdict([phase("load", [checks.within("c", value, limit=limit, subject="s", severity=MINOR)])])
    assert score.uncapped.lower_bound == pytest.approx(points)
    assert score.band is band


def test_a_nan_is_never_a_score():
    nan = checks.within(
        "c", Measurement("m", math.nan, "s", 1, math.nan, math.nan), limit=Limit(1, 2, "s"), subject="s"
    )
    score, gate = verdict([phase("load", [nan])])
    assert (score.bounds.score, gate.exit_code) == (None, 3)


def test_an_interruption_exits_130_and_says_so_first():
    _, gate = verdict(everything(), stop=StopReason.INTERRUPTED)
    assert (gate.exit_code, gate.passed, gate.headline) == (130, False, "interrupted")
    assert "interrupted" in " ".join(gate.reasons)


# -- what to mend first


def test_mending_all_blockers_is_worth_what_lies_under_the_cap():
    results = everything(safety=phase("safety", [*passed(9), *failed(2, BLOCKER)]))
    score = score_campaign(results, Policy())
    first, second = improvements(results, score, policy=Policy())
    assert (first.before, first.after) == (59, pytest.approx(100))
    assert second.after == first.after


def test_failures_come_before_doubts_before_warnings_and_blockers_first():
    warned = checks.within(
        "w", Measurement.exact("m", 3.0, unit="s"), limit=Limit(2, 4, "s"), subject="s", severity=BLOCKER
    )
    findings = [warned, *undecided(1, MINOR), *failed(1, MINOR), *failed(1, BLOCKER), *passed(3)]
    results = [phase("load", findings)]
    listed = improvements(results, score_campaign(results, Policy()), policy=Policy())
    order = [(each.finding.outcome, each.finding.severity) for each in listed]
    assert order == [
        ("failed", "blocker"),
        ("failed", "minor"),
        ("inconclusive", "minor"),
        ("warned", "blocker"),
    ]


findings = st.lists(
    st.one_of(
        *(
            st.builds(make, st.integers(1, 3), st.sampled_from(list(Severity)))
            for make in (passed, failed, undecided)
        )
    ),
    max_size=5,
).map(lambda groups: [finding for group in groups for finding in group])


@given(st.lists(findings, max_size=4), st.lists(st.floats(0, 1e6), min_size=4, max_size=4))
def test_the_bounds_hold_each_other_whatever_the_findings_and_weights(groups, weights):
    results = [phase(f"phase{index}", group) for index, group in enumerate(groups)]
    policy = Policy(weights={f"phase{index}": weight for index, weight in enumerate(weights)})
    score, gate = verdict(results, policy)
    for bounds in (score.bounds, score.uncapped):
        assert -1e-6 <= bounds.lower_bound <= bounds.upper_bound + 1e-6 <= 100 + 2e-6
        if bounds.score is not None:
            assert bounds.lower_bound - 1e-6 <= bounds.score <= bounds.upper_bound + 1e-6
    assert -1e-9 <= score.coverage <= 1 + 1e-9
    assert gate.passed == (gate.exit_code == 0)
