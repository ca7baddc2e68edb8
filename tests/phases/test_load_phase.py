"""The load phase as a pure judge and as settings: what is planned, what a quick run keeps, what it says."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from campaign.load.generator import GeneratorHealth
from campaign.records import Evidence, Measurement, Outcome
from campaign.settings import LeftOut
from phases.load import LoadPhase
from phases.load.settings import LoadSettings

PHASE = LoadPhase()
TWO = {
    "scenarios": {
        "calm": {"users": 10, "hold": "1m"},
        "peak": {"users": 400, "hold": "5m", "ramp": "50/s", "limits": {"all": {"rate": "> 100/s"}}},
    },
    "limits": {"converse": {"p95": "200ms..500ms"}, "all": {"error_rate": "< 2%"}},
}


def settings(**changes):
    return LoadSettings.model_validate({**TWO, **changes})


def evidence(*scenarios, saturation="", **values):
    facts = {
        "scenarios": [
            {"name": name, "users": 10, "generator": {"saturation": saturation}} for name in scenarios
        ]
    }
    found = tuple(
        Measurement.exact(name.replace("__", "."), value, unit="s", count=500)
        for name, value in values.items()
    )
    return Evidence(measurements=found, facts=facts)


def outcomes(evidence, chosen=None):
    return {each.check: each.outcome for each in PHASE.judge(evidence, chosen or settings())}


def test_every_limit_of_every_scenario_is_planned_also_when_nothing_was_run():
    assert outcomes(Evidence()) == dict.fromkeys(
        (
            "calm.all.error_rate", "calm.all.longest_stall", "calm.all.load_reached", "calm.converse.p95",
            "peak.all.error_rate", "peak.all.longest_stall", "peak.all.load_reached", "peak.converse.p95",
            "peak.all.rate",
            "target_afterwards",
        ),
        Outcome.INCONCLUSIVE,
    )  # fmt: skip


def test_a_scenario_that_was_not_reached_is_undecided_and_the_others_are_judged():
    found = outcomes(evidence("calm", calm__converse__p95=0.1, peak__converse__p95=0.1))
    assert found["calm.converse.p95"] is Outcome.PASSED
    assert found["peak.converse.p95"] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("p95", "outcome"), [(0.1, Outcome.INCONCLUSIVE), (0.9, Outcome.FAILED)])
def test_a_saturated_generator_lets_only_failures_stand(p95, outcome):
    found = outcomes(evidence("calm", saturation="loop lag", calm__converse__p95=p95))
    assert outcome == found["calm.converse.p95"]


LATE = "schedule lag p99 2906 ms (at most 50 ms)"


@pytest.mark.parametrize(
    ("delay", "metric", "outcome"),
    [
        (LATE, "p95", Outcome.INCONCLUSIVE),
        (LATE, "service_p95", Outcome.INCONCLUSIVE),
        (LATE, "first_event_p95", Outcome.INCONCLUSIVE),
        (LATE, "error_rate", Outcome.FAILED),
        ("", "p95", Outcome.FAILED),
    ],
)
def test_a_time_that_we_may_have_lengthened_ourselves_is_no_failure_of_the_target(delay, metric, outcome):
    whole = evidence("calm", saturation=delay or "98 % of a core", **{f"calm__converse__{metric}": 0.9})
    whole.facts["scenarios"][0]["generator"]["delay"] = delay
    (found,) = (
        each
        for each in PHASE.judge(
            whole, settings(limits={"converse": {metric: "2%" if "rate" in metric else "200ms"}})
        )
        if each.check == f"calm.converse.{metric}"
    )
    assert found.outcome is outcome
    assert (LATE in found.message) == (outcome is Outcome.INCONCLUSIVE)
    assert found.severity == ("critical" if outcome is Outcome.FAILED else "blocker")


@pytest.mark.parametrize(
    ("changes", "late"),
    [
        ({"loop_lag_p99": 0.2}, True),
        ({"schedule_lag_p99": 0.2}, True),
        ({"longest_lag": 3.0}, True),
        ({"longest_pause": 0.5}, True),
        ({"stolen": 0.3}, True),
        ({"cpu": 0.99}, False),
        ({"workers_lost": 1}, False),
        ({"start_skew": 1.0}, False),
    ],
)
def test_only_what_makes_us_late_lengthens_times(changes, late):
    sound = GeneratorHealth(loop_lag_p99=0.0, schedule_lag_p99=0.0, cpu=0.1, workers=2, workers_lost=0)
    health = replace(sound, **changes)
    assert health.saturation()
    assert bool(health.delay()) == late


def test_a_figure_that_our_own_generator_lowers_is_no_failure_of_the_target():
    found = outcomes(evidence("calm", saturation="loop lag", calm__all__load_reached=0.2))
    assert found["calm.all.load_reached"] is Outcome.INCONCLUSIVE


def test_requests_that_the_campaign_file_cannot_build_stop_the_gate_and_name_the_cause():
    whole = evidence("calm", calm__all__load_reached=0.2)
    unbuilt = {"operation": "converse", "kind": "render", "detail": "'account' has no 'mail'", "count": 7}
    whole.facts["scenarios"][0]["errors"] = [unbuilt]
    first, *_ = PHASE.judge(whole, settings())
    assert (first.outcome, first.severity) == (Outcome.INCONCLUSIVE, "blocker")
    assert "7 requests" in first.message
    assert "'account' has no 'mail'" in first.message
    assert outcomes(whole)["calm.all.load_reached"] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("median", "stall", "outcome"),
    [
        (0.01, 1.9, Outcome.PASSED),
        (0.01, 8.0, Outcome.FAILED),
        (4.0, 8.0, Outcome.PASSED),
        (4.0, 17.0, Outcome.FAILED),
    ],
)
def test_a_freeze_fails_by_default_but_answers_that_are_slow_by_nature_do_not(median, stall, outcome):
    found = outcomes(evidence("calm", calm__all__p50=median, calm__all__longest_stall=stall))
    assert outcome == found["calm.all.longest_stall"]


def test_one_slow_operation_among_fast_ones_is_no_stall():
    values = {"calm__all__p50": 0.01, "calm__story__p50": 8.0, "calm__all__longest_stall": 9.0}
    assert outcomes(evidence("calm", **values))["calm.all.longest_stall"] is Outcome.PASSED


def test_a_regression_is_judged_only_where_a_baseline_was_given():
    slower = evidence("calm", calm__converse__p95=0.1, calm__converse__p95__regression=1.3)
    assert outcomes(slower)["calm.converse.p95.regression"] is Outcome.FAILED
    assert outcomes(slower, settings(regression="40%"))["calm.converse.p95.regression"] is Outcome.PASSED
    assert "calm.converse.p95.regression" not in outcomes(evidence("calm", calm__converse__p95=0.1))


def test_a_limit_of_its_own_against_the_baseline_stands_for_the_usual_one():
    slower = evidence("calm", calm__converse__p95=0.1, calm__converse__p95__regression=1.3)
    own = {"converse": {"p95": {"limit": "150%", "of": "baseline"}}}
    assert "calm.converse.p95.regression" not in outcomes(slower, settings(limits=own))
    assert "calm.converse.p95.of_baseline" in outcomes(slower, settings(limits=own))


def test_limits_on_regions_that_nobody_is_in_are_left_out():
    limits = {"region:eu": {"p95": "1s"}, "region:us": {"p95": "1s"}}
    left = settings(limits=limits).without(LeftOut("--tags a", regions=frozenset({"us"})))
    assert list(left.limits) == ["region:eu"]


def test_a_quick_run_is_short_and_asks_for_as_much_less_work():
    quick = settings().quick()
    seconds = PHASE.seconds(quick)
    assert seconds < 16
    assert [scenario.users for scenario in quick.scenarios.values()] == [10, 20]
    (rate,) = quick.scenarios["peak"].limits["all"].rate
    assert rate.limit.target == pytest.approx(100 * 20 / 400)
    assert quick.limits == settings().limits


def test_a_quick_run_aborts_at_as_much_lower_a_rate_and_as_much_sooner():
    rules = [
        {"rate": "< 100/s", "for": "30s", "after": "30s"},
        {"p95": "> 5s", "for": "1s", "after": "500ms"},
    ]
    scenario = {"users": 500, "hold": "5m", "ramp": "50/s", "abort_when": rules}
    quick = settings(scenarios={"peak": scenario}, abort_when=rules, limits={}).quick()
    for rate, slow in (quick.abort_when, quick.scenarios["peak"].abort_when):
        assert rate.bound.target == rate.bound.acceptable == pytest.approx(100 * 20 / 500)
        assert (rate.on_end, rate.after) == (2.0, 1.0)
        assert (slow.bound.target, slow.on_end, slow.after) == (5.0, 1.0, 0.5)
    (late,) = (
        settings(scenarios={"peak": {**scenario, "abort_when": [{"p95": "> 5s", "after": "2m"}]}})
        .quick()
        .scenarios["peak"]
        .abort_when
    )
    assert late.after == pytest.approx(120 * 10 / 300)
    assert LoadSettings.model_validate(quick.model_dump(mode="json")) == quick


def test_settings_read_from_a_report_are_the_settings_that_were_run():
    for chosen in (settings(), settings().quick(), settings(workers=3, regression="5%")):
        assert LoadSettings.model_validate(chosen.model_dump(mode="json")) == chosen


@pytest.mark.parametrize("workers", [0, -1, "many", True])
def test_workers_are_a_number_or_auto(workers):
    with pytest.raises(ValidationError):
        settings(workers=workers)


def test_a_metric_of_the_whole_scenario_stands_under_all_only():
    with pytest.raises(ValidationError, match="not under 'converse'"):
        settings(limits={"converse": {"longest_stall": "1s"}})


def test_workers_follow_the_users_up_to_the_cores():
    many = settings(scenarios={"huge": {"users": 50_000}})
    few = settings(scenarios={"few": {"users": 2}}, workers=8)
    assert many.worker_count(many.scenarios["huge"]) >= 1
    assert few.worker_count(few.scenarios["few"]) == 2


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (GeneratorHealth(0.001, 0.001, 0.3, 1, 0), ""),
        (GeneratorHealth(0.2, 0.001, 0.3, 1, 0), "event-loop lag"),
        (GeneratorHealth(0.001, 0.001, 0.99, 1, 0), "of a core"),
        (GeneratorHealth(0.001, 0.001, 0.3, 2, 1), "1 of 2 load workers were lost"),
    ],
)
def test_the_generator_says_why_it_is_not_to_be_trusted(health, words):
    assert words in health.saturation()
    assert bool(words) == bool(health.saturation())
