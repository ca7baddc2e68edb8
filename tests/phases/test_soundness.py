"""What stops the gate or fails without a limit: what never works, never ends, or is decided by nothing."""

import pytest

from campaign.records import Evidence, Measurement, Outcome, Severity
from phases.load.judge import judge_load
from phases.load.settings import LoadSettings


def row(name, **figures):
    return {"name": name, "asked": 100, "failed": 0, "unfinished": 0, **figures}


def judged(*rows, limits=None, measured=()):
    scenario = {
        "name": "calm", "users": 5, "requests": 300, "errors": [], "generator": {"saturation": ""},
        "operations": [*rows, row("all", failed=100)],
    }  # fmt: skip
    settings = LoadSettings.model_validate(
        {"scenarios": {"calm": {"users": 5, "hold": "10s"}}, "limits": limits or {}}
    )
    evidence = Evidence(measurements=tuple(measured), series=(), facts={"scenarios": [scenario]}, notes=())
    return {finding.check: finding for finding in judge_load(evidence, settings)}


def test_an_operation_that_never_goes_well_fails_however_small_its_share_is():
    found = judged(row("logout", asked=27, failed=27))["calm.logout.works"]
    assert (found.outcome, found.severity) == (Outcome.FAILED, Severity.CRITICAL)
    assert found.message == "logout failed every time, 27 of 27, calm"


@pytest.mark.parametrize(("figures", "limits"), [
    ({"asked": 27, "failed": 26}, None),
    ({"asked": 2, "failed": 2}, None),
    ({"asked": 0, "failed": 0}, None),
    ({"asked": 27, "failed": 27}, {"logout": {"error_rate": "100%"}}),
], ids=["some go well", "too few to say", "never sent", "its own limit judges it"])  # fmt: skip
def test_other_operations_are_left_to_their_limits(figures, limits):
    assert "calm.logout.works" not in judged(row("logout", **figures), limits=limits)


def test_requests_that_never_ended_stop_the_gate_and_name_their_operation():
    found = judged(row("story", unfinished=17))["calm.story.finished"]
    assert (found.outcome, found.severity) == (Outcome.INCONCLUSIVE, Severity.BLOCKER)
    assert "17 requests of story had no answer" in found.message


@pytest.mark.parametrize(("value", "low", "high", "severity"), [
    (None, None, None, Severity.BLOCKER),
    (0.25, 0.1, 0.4, Severity.BLOCKER),
    (0.15, 0.1, 0.4, Severity.CRITICAL),
], ids=["never observed", "looks bad", "looks good"])  # fmt: skip
def test_an_undecided_limit_stops_the_gate_unless_its_figure_speaks_for_it(value, low, high, severity):
    p95 = Measurement("calm.pay.p95", value, "s", 0 if value is None else 20, low, high)
    found = judged(row("pay"), limits={"pay": {"p95": "200ms"}}, measured=[p95])["calm.pay.p95"]
    assert (found.outcome, found.severity) == (Outcome.INCONCLUSIVE, severity)


@pytest.mark.parametrize(("asked", "changes", "why"), [
    (0, {"cut_before": 12}, "none was due in its judged part, 12 before it and 0 after it"),
    (0, {"generator": {"saturation": "2 of 2 load workers were lost"}}, "2 of 2 load workers were lost"),
    (1, {}, None),
], ids=["all before it", "our own fault", "one is enough"])  # fmt: skip
def test_a_judged_part_without_any_request_stops_the_gate_whatever_its_limits_weigh(asked, changes, why):
    scenario = {
        "name": "calm", "users": 5, "requests": 12, "errors": [], "generator": {"saturation": ""},
        "operations": [row("all", asked=asked)], **changes,
    }  # fmt: skip
    minor = {"all": {"error_rate": {"limit": "1%", "severity": "minor"}}}
    settings = LoadSettings.model_validate(
        {"scenarios": {"calm": {"users": 5, "hold": "10s"}}, "limits": minor}
    )
    found = {each.check: each for each in judge_load(Evidence(facts={"scenarios": [scenario]}), settings)}
    finding = found.get("calm.all.requests_judged")
    assert (finding is None) == (why is None)
    if finding is not None:
        assert (finding.outcome, finding.severity) == (Outcome.INCONCLUSIVE, Severity.BLOCKER)
        assert why in finding.message
