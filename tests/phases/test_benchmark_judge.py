"""The benchmark phase as a pure judge and as settings: what is planned, what decides, what a file may say."""

import re

import jsonschema
import pytest
from pydantic import ValidationError

from campaign.records import Evidence, Limit, Outcome, Severity
from campaign.settings import LeftOut
from phases.benchmark import BenchmarkPhase
from phases.benchmark.comparison import compared, with_baseline
from phases.benchmark.settings import BenchmarkSettings
from phases.benchmark.timed import Timed, from_plain

PHASE = BenchmarkPhase()


def settings(**said):
    return BenchmarkSettings.model_validate(said)


def timed(*times_us, failed=0, detail="status 500", after_us=100, last=0):
    """Failures come first, but for the `last` ones."""
    made = Timed()
    for _ in range(failed - last):
        made.fail(detail, after_us * 1000)
    for each in times_us:
        made.add(each * 1000)
    for _ in range(last):
        made.fail(detail, after_us * 1000)
    return made


def around(middle_us, count=100):
    """Times that differ a little, as real ones do."""
    return timed(*(middle_us + (number % 11 - 5) * middle_us // 50 for number in range(count)))


def entry(now, *, kind="operation", name="history", metric="mean", definition="same", **more):
    return {
        "kind": kind, "name": name, "metric": metric, "definition": definition, "target": now.plain(), **more,
    }  # fmt: skip


def evidence(*entries, **facts):
    found = []
    for each in entries:
        prefix = f"{each['kind']}.{each['name']}"
        found += [from_plain(each["target"]).measure(m, f"{prefix}.{m}") for m in ("mean", "p95")]
    return Evidence(measurements=tuple(found), facts={"entries": list(entries), **facts})


def findings(evidence, chosen):
    return {each.check: each for each in PHASE.judge(evidence, chosen)}


HISTORY = {"operations": {"history": "5ms..10ms"}}


@pytest.mark.parametrize(
    ("middle_us", "outcome"), [(3000, Outcome.PASSED), (7000, Outcome.WARNED), (15000, Outcome.FAILED)]
)
def test_the_mean_is_held_against_target_and_acceptable(middle_us, outcome):
    found = findings(evidence(entry(around(middle_us))), settings(**HISTORY))
    assert {"operation.history.mean": outcome} == {name: each.outcome for name, each in found.items()}


def test_another_metric_is_judged_where_the_file_says_so():
    slow_end = timed(*[1000] * 80, *[50_000] * 20)
    chosen = settings(operations={"history": {"limit": "20ms", "metric": "p95"}})
    found = findings(evidence(entry(slow_end, metric="p95")), chosen)
    assert found["operation.history.p95"].outcome is Outcome.FAILED


def test_every_entry_of_the_file_is_planned_also_when_nothing_was_reached():
    chosen = settings(
        operations={"history": "5ms"},
        statements={"lookup": {"sql": "SELECT 1", "limit": "5ms"}},
        cache={"get": "2ms"},
    )
    found = findings(Evidence(), chosen)
    assert {name: each.outcome for name, each in found.items()} == dict.fromkeys(
        ("operation.history.mean", "statement.lookup.mean", "cache.get.mean"), Outcome.INCONCLUSIVE
    )


def test_an_entry_without_a_limit_is_told_and_not_judged():
    found = findings(evidence(entry(around(3000))), settings(operations={"history": {}}))
    assert found["operation.history.mean"].outcome is Outcome.INFORMATIONAL


def test_importance_is_the_severity():
    chosen = settings(operations={"history": {"limit": "1ms", "importance": "important"}})
    found = findings(evidence(entry(around(3000))), chosen)
    assert found["operation.history.mean"].severity is Severity.IMPORTANT


def test_what_fails_has_no_time_however_fast_it_is():
    found = findings(evidence(entry(timed(*[100] * 90, failed=10))), settings(**HISTORY))
    [finding] = found.values()
    assert finding.outcome is Outcome.FAILED
    assert "failed 10 of 100 times" in finding.message


def test_a_failure_counts_at_the_time_it_took_and_is_told():
    slow = timed(*[42] * 198, failed=2, detail="statement timeout (57014)", after_us=2_000_000)
    found = findings(evidence(entry(slow)), settings(**HISTORY))["operation.history.mean"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "mean of 200 was 20" in found.message
    assert found.message.endswith("; 2 of 200 failed: statement timeout (57014)")


def test_a_failure_that_decides_nothing_is_told():
    found = findings(evidence(entry(timed(*[1000] * 199, failed=1))), settings(**HISTORY))
    assert found["operation.history.mean"].outcome is Outcome.PASSED
    assert found["operation.history.mean"].message.endswith("; 1 of 200 failed: status 500")


def test_what_fails_to_the_end_has_failed_however_long_it_went_well():
    dead = timed(*[100] * 400, failed=3, last=3, detail="ConnectionError: refused")
    found = findings(evidence(entry(dead)), settings(**HISTORY, iterations=1000))["operation.history.mean"]
    assert found.outcome is Outcome.FAILED
    assert "failed 3 of 403 times, the last 3 of them on end (1,000 were planned)" in found.message


def cut_short(*, unfinished_us=0, failed=0):
    made = timed(*[1000] * 400, failed=failed)
    if unfinished_us:
        made.cut(unfinished_us * 1000)
    return made


@pytest.mark.parametrize(
    ("times", "outcome", "said"),
    [
        (cut_short(), Outcome.PASSED, "mean of 400 (of 1,000 planned: its time was over)"),
        (cut_short(unfinished_us=1000), Outcome.PASSED, "mean of 401"),
        (cut_short(failed=2), Outcome.INCONCLUSIVE, "after 402 of 1,000 iterations, some of which"),
        (
            cut_short(unfinished_us=60_000),
            Outcome.INCONCLUSIVE,
            "after 400 of 1,000 iterations, as one had",
        ),
    ],
)
def test_an_entry_that_was_cut_short_passes_only_where_it_went_well(times, outcome, said):
    chosen = settings(operations={"history": "20ms"}, iterations=1000)
    found = findings(evidence(entry(times)), chosen)["operation.history.mean"]
    assert (found.outcome, said in found.message) == (outcome, True)


@pytest.mark.parametrize(
    ("importance", "severity"), [("critical", Severity.BLOCKER), ("important", Severity.IMPORTANT)]
)
def test_a_critical_limit_that_was_never_observed_must_not_be_outvoted(importance, severity):
    chosen = settings(cache={"get": {"limit": "2ms", "importance": importance}})
    absent = entry(Timed(trouble="the target has no Redis"), kind="cache", name="get")
    for seen in (evidence(absent), Evidence()):
        found = findings(seen, chosen)["cache.get.mean"]
        assert (found.outcome, found.severity) == (Outcome.INCONCLUSIVE, severity)


def test_defaults_that_were_planned_and_not_reached_are_undecided():
    found = findings(Evidence(facts={"planned": [["operation", "story"], ["cache", "get"]]}), settings())
    assert {name: each.outcome for name, each in found.items()} == {
        "operation.story.mean": Outcome.INCONCLUSIVE,
        "cache.get.mean": Outcome.INCONCLUSIVE,
    }


@pytest.mark.parametrize(
    ("facts", "said", "outcome"),
    [
        ({}, {}, Outcome.INCONCLUSIVE),
        ({"planned": []}, {}, Outcome.NOT_APPLICABLE),
        ({}, {"operations": [], "cache": []}, Outcome.NOT_APPLICABLE),
    ],
)
def test_nothing_recorded_is_nothing_to_measure_only_where_nothing_was_planned(facts, said, outcome):
    found = findings(Evidence(facts=facts), settings(**said))
    assert {name: each.outcome for name, each in found.items()} == {"entries": outcome}


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("operation", "status 500 (id 14290)"),
        ("operation", "expected 1 item, found 429"),
        ("statement", "error (42P01): relation t_1429 does not exist"),
        ("statement", "status 429"),
    ],
)
def test_only_the_status_429_of_an_operation_excuses_the_target(kind, detail):
    chosen = settings(
        operations={"it": "5ms"}, statements={"it": {"sql": "SELECT 1", "limit": "5ms"}}, iterations=200
    )
    broken = timed(failed=200, detail=detail)
    found = findings(evidence(entry(broken, kind=kind, name="it")), chosen)[f"{kind}.it.mean"]
    assert found.outcome is Outcome.FAILED
    assert found.message.endswith(f"failed every time, 200 of 200: {detail}")


@pytest.mark.parametrize(("metric", "fewest"), [("p95", 72), ("p99", 368)])
def test_a_percentile_that_too_few_iterations_cannot_settle_is_refused(metric, fewest):
    said = {"history": {"limit": "5ms", "metric": metric}}
    with pytest.raises(ValidationError, match=f"{fewest} or more, as the limit on the {metric} of history"):
        settings(operations=said, iterations=fewest - 1)
    settings(operations=said, iterations=fewest)
    settings(operations={"history": {"metric": metric}}, iterations=10)  # without a limit there is no verdict


def test_a_quick_run_does_as_many_iterations_as_a_percentile_needs():
    quick = settings(operations={"history": {"limit": "5ms", "metric": "p95"}}).quick()
    assert quick.iterations == 72


def test_a_percentile_of_too_few_times_says_how_many_it_needs():
    chosen = settings(operations={"history": {"limit": "5ms", "metric": "p95"}})
    found = findings(evidence(entry(around(1000, count=40), metric="p95")), chosen)["operation.history.p95"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.message.endswith("; a p95 needs 72 iterations or more")


def test_a_target_that_limits_how_often_it_is_asked_is_not_to_blame():
    limited = timed(*[100] * 10, failed=90, detail="status 429")
    found = findings(evidence(entry(limited)), settings(**HISTORY))
    assert found["operation.history.mean"].outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("middle_us", "outcome"), [(3000, Outcome.INCONCLUSIVE), (15000, Outcome.FAILED)])
def test_a_saturated_generator_lets_only_failures_stand(middle_us, outcome):
    said = {"saturation": "98% of a core", "delay": ""}
    found = findings(evidence(entry(around(middle_us)), generator=said), settings(**HISTORY))
    assert found["operation.history.mean"].outcome is outcome


def against(now, then):
    return entry(now, against=compared(now, then, metric="mean", seed=1, whose="second target"))


@pytest.mark.parametrize(
    ("now", "then", "outcome", "said"),
    [
        (4500, 3000, Outcome.FAILED, "slower"),
        (3000, 3000, Outcome.PASSED, "no difference shown"),
        (2000, 3000, Outcome.PASSED, "faster"),
        (3300, 3000, Outcome.PASSED, "slower, within the threshold"),
    ],
)
def test_a_second_target_is_what_the_first_is_held_against(now, then, outcome, said):
    chosen = settings(operations={"history": {}}, against="http://127.0.0.1:9")
    found = findings(evidence(against(around(now), around(then))), chosen)["operation.history.against"]
    assert found.outcome is outcome
    assert found.message.endswith(said)


def test_a_second_target_that_could_not_be_measured_leaves_the_comparison_open():
    chosen = settings(operations={"history": {}}, against="http://127.0.0.1:9")
    found = findings(evidence(against(around(3000), Timed(trouble="it is not there"))), chosen)
    assert found["operation.history.against"].outcome is Outcome.INCONCLUSIVE
    assert "it is not there" in found["operation.history.against"].message


def with_earlier(now, then, **changes):
    earlier = Evidence(facts={"entries": [{**entry(then), **changes}]})
    whole = entry(now)
    return evidence({**whole, "baseline": with_baseline(whole, earlier, now=now, seed=1)})


def test_what_is_slower_than_in_an_earlier_run_is_important_and_stops_no_release_alone():
    found = findings(with_earlier(around(9000), around(3000)), settings(operations={"history": {}}))
    regression = found["operation.history.baseline"]
    assert (regression.outcome, regression.severity) == (Outcome.FAILED, Severity.IMPORTANT)


def test_a_step_that_two_runs_cannot_tell_from_the_machine_is_only_told():
    found = findings(with_earlier(around(900), around(600)), settings(operations={"history": {}}))
    assert found["operation.history.baseline"].outcome is Outcome.INFORMATIONAL


def test_an_earlier_run_of_another_target_is_compared_and_named():
    earlier = Evidence(facts={"entries": [entry(around(3000))], "url": "http://127.0.0.1:8001"})
    whole = entry(around(9000))
    told = with_baseline(whole, earlier, now=around(9000), seed=1, url="http://127.0.0.1:8000")
    found = findings(evidence({**whole, "baseline": told}), settings(operations={"history": {}}))
    assert found["operation.history.baseline"].message.endswith(
        ", on another target (http://127.0.0.1:8001): slower"
    )


def test_what_is_not_told_apart_says_how_many_iterations_would_settle_it():
    wide = [around(3000, count=20), timed(*(300 + 500 * number for number in range(12)))]
    chosen = settings(operations={"history": {}}, against="http://127.0.0.1:9")
    found = findings(evidence(against(*wide)), chosen)["operation.history.against"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert re.fullmatch(r"About [\d,]+ iterations settle it.", found.remedy)


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"definition": "other"}, "something else"), ({"name": "stories"}, "did not measure it")],
)
def test_only_the_same_request_is_compared_with_an_earlier_run(changes, why):
    found = findings(
        with_earlier(around(9000), around(3000), **changes), settings(operations={"history": {}})
    )
    assert found["operation.history.baseline"].outcome is Outcome.NOT_APPLICABLE
    assert why in found["operation.history.baseline"].message


def test_the_threshold_is_the_files():
    told = evidence(against(around(4500), around(3000)))
    chosen = settings(operations={"history": {}}, against="http://127.0.0.1:9", regression="80%")
    assert findings(told, chosen)["operation.history.against"].outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "said",
    [
        "50ms..200ms",
        {"limit": "50ms..200ms"},
        {"target": "50ms", "acceptable": "200ms", "importance": "critical"},
    ],
)
def test_a_limit_may_be_written_in_each_of_its_forms(said):
    assert settings(operations={"history": said}).operations["history"].bound == Limit(0.05, 0.2, "s")


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"sql": "DELETE FROM users"}, "sql"),
        ({"sql": "SELECT :id"}, "params"),
        ({"sql": "SELECT 1", "params": {"id": 7}}, "params"),
    ],
)
def test_a_mistake_of_a_statement_is_told_at_its_key(said, place):
    with pytest.raises(ValidationError) as caught:
        settings(statements={"a": said})
    assert [each["loc"] for each in caught.value.errors()] == [("statements", "a", place)]


@pytest.mark.parametrize(
    "said",
    [
        {"operations": {"history": {"limit": "5ms", "target": "5ms"}}},
        {"operations": {"history": {"target": "50ms", "acceptable": "5ms"}}},
        {"operations": {"history": "5 rows"}},
        {"operations": {"history": {"importance": "huge"}}},
        {"iterations": 3},
        {"cache": {"flushall": "2ms"}},
        {"statements": {"wipe": {"sql": "DELETE FROM users"}}},
        {"statements": {"two": {"sql": "SELECT 1; DROP TABLE users"}}},
        {"statements": {"lookup": {"sql": "SELECT * FROM users WHERE id = :id"}}},
        {"statements": {"lookup": {"sql": "SELECT 1", "params": {"id": 7}}}},
        {"against": "127.0.0.1:9"},
        {"against": "http://user:secret@127.0.0.1:9"},
    ],
)
def test_what_makes_no_sense_is_refused(said):
    with pytest.raises(ValidationError):
        settings(**said)


def test_settings_come_back_from_a_report_as_they_were():
    chosen = settings(
        operations={"history": "5ms..10ms", "search": {"target": "1s", "metric": "p95"}},
        statements={"lookup": {"sql": "SELECT :id", "params": {"id": 7}, "limit": "5ms"}},
        start=["login"],
        against="http://127.0.0.1:9",
    )
    assert BenchmarkSettings.model_validate(chosen.model_dump(mode="json")) == chosen


def test_what_a_run_leaves_out_is_not_measured():
    chosen = settings(operations=["history", "search"])
    left = LeftOut("--tags talk", operations=frozenset({"search"}))
    assert list(chosen.without(left).operations) == ["history"]


@pytest.mark.parametrize(("deleted", "outcome"), [(20, Outcome.PASSED), (18, Outcome.FAILED)])
def test_what_operations_made_must_be_gone(deleted, outcome):
    told = evidence(entry(around(3000)), made={"made": 20, "deleted": deleted})
    assert findings(told, settings(**HISTORY))["tidy"].outcome is outcome


def test_a_quick_run_does_fewer_iterations():
    quick = settings().quick()
    assert (quick.iterations, quick.warm_up) == (30, 5)


@pytest.mark.parametrize("at_most", ["1s", "2m", "10m", "6h"])
def test_the_deadline_leaves_the_time_that_the_file_allows(at_most):
    chosen = settings(at_most=at_most)
    assert PHASE.seconds(chosen) * 1.5 + 120 > chosen.at_most + 30


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ({"operations": {"history": "5ms..10ms", "story": None, "song": {"target": "5ms"}}}, True),
        ({"operations": ["history"], "cache": ["get"]}, True),
        ({"statements": {"lookup": {"sql": "SELECT 1", "limit": "5ms"}}}, True),
        ({"statements": {"lookup": "5ms"}}, False),
        ({"operations": {"history": {"limits": "5ms"}}}, False),
    ],
)
def test_an_editor_knows_every_form_that_the_file_may_have(said, right):
    assert jsonschema.Draft202012Validator(BenchmarkSettings.model_json_schema()).is_valid(said) == right
    if right:
        settings(**said)
