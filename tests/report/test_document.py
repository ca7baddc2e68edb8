"""The document holds everything: what is read back is what was written, and anything else is refused."""

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign.errors import ReportError
from campaign.records import (
    Band,
    Bounds,
    CampaignResult,
    Cap,
    Direction,
    Evidence,
    Finding,
    Gate,
    Improvement,
    Limit,
    Measurement,
    Outcome,
    PhaseResult,
    PhaseScore,
    Reason,
    ReasonKind,
    Run,
    Scope,
    Score,
    Series,
    Severity,
    Status,
    StopReason,
)
from campaign.report import jsonfile
from campaign.report.document import document, read_document
from campaign.report.read import read_report

GOLDEN = Path(__file__).with_name("golden-report.json")

KEYS = [
    "schema_version",
    "test_suite_summary",
    "test_results",
    "performance_monitoring",
    "production_readiness",
    "detailed_analysis",
    "recommendations",
    "environment",
    "configuration",
]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.none() | numbers
facts = st.dictionaries(
    texts,
    st.recursive(st.none() | st.booleans() | st.integers() | numbers | texts, st.lists, max_leaves=5),
    max_size=3,
)
measurements = st.builds(Measurement, texts, maybe, texts, st.integers(0, 10**9), maybe, maybe)
points = st.lists(st.tuples(numbers, maybe), max_size=5)
series = st.builds(
    lambda name, unit, pairs: Series(
        name, unit, tuple(at for at, _ in pairs), tuple(each for _, each in pairs)
    ),
    texts,
    texts,
    points,
)


def some(strategy, most=3):
    return st.lists(strategy, max_size=most).map(tuple)


evidence = st.builds(Evidence, some(measurements), some(series), facts, some(texts))
limits = st.builds(Limit, numbers, numbers, texts, st.sampled_from(Direction))
findings = st.builds(
    Finding,
    texts,
    st.sampled_from(Outcome),
    texts,
    st.none() | measurements,
    st.none() | limits,
    st.sampled_from(Severity),
    numbers,
    texts,
)
reasons = st.builds(Reason, st.sampled_from(ReasonKind), texts)
phases = st.builds(
    PhaseResult,
    texts,
    texts,
    texts,
    st.sampled_from(Status),
    evidence,
    some(findings),
    numbers,
    numbers,
    reasons,
)
bounds = st.builds(Bounds, maybe, numbers, numbers)
scores = st.builds(
    Score,
    bounds,
    bounds,
    numbers,
    some(st.builds(Cap, numbers, st.sampled_from(Severity), st.integers())),
    st.sampled_from(Band),
    st.builds(Scope, numbers, numbers, some(texts), some(texts), some(texts)),
    some(st.builds(PhaseScore, texts, maybe, numbers, numbers)),
)
moments = st.floats(0, 4e9)
results = st.builds(
    CampaignResult,
    st.just("1.0"),
    st.builds(Run, texts, texts, moments, moments, st.integers(), st.sampled_from(StopReason), facts, facts),
    some(phases),
    evidence,
    scores,
    st.builds(Gate, st.booleans(), st.integers(), numbers, texts, some(texts)),
    some(st.builds(Improvement, texts, findings, numbers, numbers)),
)


@given(results)
@settings(max_examples=150, deadline=None)
def test_any_result_is_the_same_after_a_journey_through_json(result):
    assert result == read_document(json.loads(json.dumps(document(result), allow_nan=False)))


@pytest.mark.parametrize("name", ["all_phases", "all_green", "not_measured"])
def test_a_written_report_reads_back_as_the_same_result(request, tmp_path, name):
    result = request.getfixturevalue(name)
    jsonfile.write(result, tmp_path / "report.json")
    assert result == read_report(tmp_path / "report.json")


def test_the_keys_and_the_names_that_others_rely_on_are_fixed(all_phases):
    data = document(all_phases)
    assert list(data) == KEYS
    assert data["test_suite_summary"]["requests"] == 144_034
    ready = data["production_readiness"]
    assert tuple(ready[key] for key in ("score", "lower_bound", "band", "exit_code")) == (
        59.0,
        59.0,
        "not ready",
        1,
    )
    assert all_phases.score.coverage == ready["coverage"]


def test_the_report_of_a_whole_campaign_is_the_golden_one(all_phases):
    """After a wanted change run this with WRITE_GOLDEN=1, and read the diff."""
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(document(all_phases), indent=1) + "\n", encoding="utf-8")
    assert json.loads(GOLDEN.read_text(encoding="utf-8")) == document(all_phases)


def test_what_is_no_number_becomes_null_and_a_lone_surrogate_becomes_text(all_phases):
    odd = Evidence(
        measurements=(Measurement("m", math.inf, "s", 1, math.nan, -math.inf),),
        facts={"a\ud800": [math.nan, "\udfff"]},
    )
    data = json.loads(json.dumps(document(replace(all_phases, monitoring=odd))))["performance_monitoring"]
    assert [data["measurements"][0][key] for key in ("value", "low", "high")] == [None, None, None]
    assert data["facts"] == {"a\\ud800": [None, "\\udfff"]}


def damaged(data, *path, value):
    *steps, last = path
    inner = data
    for step in steps:
        inner = inner[step]
    if value is KeyError:
        del inner[last]
    else:
        inner[last] = value
    return data


DAMAGE = {
    "another major version": (("schema_version",), "2.0", "schema version '2.0'"),
    "no version": (("schema_version",), KeyError, "no schema_version"),
    "a version of no kind": (("schema_version",), None, "schema version None"),
    "no results": (("test_results",), KeyError, "'test_results' is missing"),
    "results that are text": (("test_results",), "all good", "results"),
    "a summary that is a list": (("test_suite_summary",), [1], "damaged"),
    "a score that is text": (("production_readiness", "score"), "high", "score"),
    "an unknown outcome": (
        ("test_results", 0, "findings", 0, "outcome"),
        "fine",
        "results.0.findings.0.outcome",
    ),
    "no analysis": (("detailed_analysis",), {}, "'phases' is missing"),
    "a skip without its reason": (("test_results", 4, "reason"), None, "needs a reason"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_report_is_refused_in_one_sentence_that_names_the_place(all_phases, case):
    path, value, said = DAMAGE[case]
    with pytest.raises(ReportError) as caught:
        read_document(damaged(document(all_phases), *path, value=value))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_later_minor_version_with_more_in_it_can_be_read(all_phases):
    data = document(all_phases) | {"schema_version": "1.9", "more": 1}
    data["test_results"][0]["more"] = 1
    assert replace(all_phases, schema="1.9") == read_document(data)


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "[]", '"report"', "null", "[" * 100_000, "\x00"])
def test_a_file_that_is_no_report_is_refused_by_name(tmp_path, text):
    file = tmp_path / "report.json"
    file.write_text(text)
    with pytest.raises(ReportError, match=r"report\.json"):
        read_report(file)


def test_a_truncated_report_is_refused_wherever_it_was_cut(all_phases, tmp_path):
    file = tmp_path / "report.json"
    jsonfile.write(all_phases, file)
    whole = file.read_bytes()
    for share in (0.1, 0.5, 0.9):
        file.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ReportError, match="is not JSON"):
            read_report(file)


def test_a_missing_report_is_refused_by_name(tmp_path):
    with pytest.raises(ReportError, match=r"gone\.json: cannot be read"):
        read_report(tmp_path / "gone.json")
