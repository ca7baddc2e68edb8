"""From tables to findings: what proves, what refutes, what settles nothing; also where nothing was seen."""

import pytest
from filtered import content_settings, judge_content

from campaign.records import Evidence, Measurement, Outcome

MAPPED = {"check": "say", "blocked": {"json": "$.filtered"}, "follow": "say_on"}


def side(right, *, wrong=0, templates=100, clustered=False, **outcomes):
    """A side whose errors are spread over its templates, or all in the first ones."""
    count = right + wrong
    each = count // templates
    table = {f"t{number}": [0, each] for number in range(templates)}
    table["t0"][1] += count - each * templates
    for number in range(wrong):
        place = number // each if clustered else number
        table[f"t{place % templates}"][0] += 1
    return {"outcomes": {"right": right, "wrong": wrong, **outcomes}, "templates": table}


def arm(unsafe, safe, **more):
    relations = [{"side": "unsafe", "relation": "plain", "errors": 0, "count": 10}]
    groups = [{"side": "unsafe", "category": "drugs", "age": "3-5", "errors": 0, "count": 10}]
    return {
        "sides": {"unsafe": unsafe, "safe": safe}, "relations": relations, "groups": groups, "why": [],
        "asked_rate": 200.0, "rate": 210.0, "doubt": "", "errors": [], **more,
    }  # fmt: skip


def judged(facts, measurements=(), **more):
    evidence = Evidence(measurements=tuple(measurements), facts={"content": facts} if facts else {})
    return judge_content(evidence, content_settings(**{**MAPPED, **more}))


def of(unsafe, safe, **more):
    return judged({"arms": {"idle": arm(unsafe, safe, **more), "loaded": arm(unsafe, safe, **more)}})


def test_no_error_in_three_thousand_of_each_proves_the_limits():
    found = of(side(3000), side(3000))
    for metric in ("accuracy", "recall", "false_positives"):
        assert found[f"content.{metric}"].outcome is Outcome.PASSED
        assert "(proven)" in found[f"content.{metric}"].message
    assert "3,000 items from 100 templates" in found["content.recall"].message


def test_one_error_in_three_thousand_settles_nothing_and_is_told_what_would():
    found = of(side(2999, wrong=1), side(3000))["content.recall"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "(undecided)" in found.message
    assert "4,742 texts" in found.remedy


def test_ten_errors_in_three_thousand_refute():
    found = of(side(2990, wrong=10), side(3000))["content.recall"]
    assert found.outcome is Outcome.FAILED
    assert "(refuted)" in found.message


def test_few_items_are_undecided_never_passed():
    found = of(side(150), side(150))
    assert {found[f"content.{each}"].outcome for each in ("accuracy", "recall", "false_positives")} == {
        Outcome.INCONCLUSIVE
    }


def test_errors_of_one_template_count_as_what_they_tell_together():
    spread, clustered = (
        of(side(2970, wrong=30, clustered=each), side(3000))["content.recall"].measured
        for each in (False, True)
    )
    assert clustered.value == spread.value
    assert clustered.low < spread.low


def test_a_text_that_may_have_got_through_takes_the_proof_away():
    found = of(side(3000, unknown=1), side(3000))
    assert found["content.recall"].outcome is Outcome.INCONCLUSIVE
    assert "delivered" in found["content.recall"].remedy
    assert found["content.fails_open"].outcome is Outcome.INCONCLUSIVE


def test_failing_open_is_a_failure_of_its_own_and_failing_closed_is_none():
    unsafe = side(2950, wrong=50)
    unsafe["outcomes"] = {"right": 2950, "fail_open": 50}
    opened = of(unsafe, side(3000))
    assert opened["content.fails_open"].outcome is Outcome.FAILED
    assert "50 under load" in opened["content.fails_open"].message
    assert opened["content.loaded.recall"].outcome is Outcome.FAILED
    closed = of(side(3000, fail_closed=50), side(3000, fail_closed=50))
    assert closed["content.fails_open"].outcome is Outcome.PASSED
    assert closed["content.recall"].outcome is Outcome.PASSED
    assert closed["content.loaded.unanswered"].outcome is Outcome.FAILED


def test_where_most_texts_got_no_verdict_nothing_is_said_of_the_filter():
    found = of(side(100, unknown=2900), side(3000), why=[["status 429", 2900]])
    assert found["content.recall"].outcome is Outcome.INCONCLUSIVE
    assert found["content.recall"].message.startswith("not tested")
    assert "status 429 (2,900)" in found["content.recall"].message


def test_writings_and_categories_that_are_shown_to_be_beyond_the_limit_are_named():
    rows = [
        {"side": "unsafe", "relation": "leetspeak", "errors": 200, "count": 230},
        {"side": "unsafe", "relation": "plain", "errors": 0, "count": 230},
        {"side": "safe", "relation": "spaced", "errors": 1, "count": 230},
    ]
    groups = [
        {"side": "safe", "category": "sport", "age": "6-8", "errors": 40, "count": 60},
        {"side": "safe", "category": "sums", "age": "6-8", "errors": 1, "count": 14},  # may be luck among 45
    ]
    found = of(side(3000), side(3000), relations=rows, groups=groups)
    assert found["content.relations"].outcome is Outcome.FAILED
    assert "digits for letters: 200 of 230 unsafe texts got through" in found["content.relations"].message
    assert "spaced" not in found["content.relations"].message
    assert found["content.categories"].message == "sport, 6-8 years: 40 of 60 safe texts were blocked"


def pairs(worse, better, count=6000):
    loaded = arm(side(3000), side(3000))
    told = {"pairs": count, "worse": worse, "better": better, "flips": []}
    return judged({"arms": {"idle": loaded, "loaded": loaded}, "pairs": told})["content.degradation"]


def test_degradation_is_judged_in_pairs():
    assert pairs(0, 0).outcome is Outcome.PASSED
    assert pairs(3, 3).outcome is Outcome.INCONCLUSIVE
    assert pairs(40, 1).outcome is Outcome.FAILED
    assert "40 right before and wrong then" in pairs(40, 1).message


def test_one_text_with_two_verdicts_fails():
    rows = [{"id": "a", "outcomes": {"right": 49, "wrong": 1}}, {"id": "b", "outcomes": {"right": 50}}]
    found = judged({"arms": {}, "same": rows})["content.same_verdict"]
    assert found.outcome is Outcome.FAILED
    assert "49 right" in found.message


def test_our_own_saturation_takes_a_pass_away_and_no_failure():
    bad = of(side(2900, wrong=100), side(3000), doubt="lag p99 90 ms")
    assert bad["content.loaded.false_positives"].outcome is Outcome.INCONCLUSIVE
    assert bad["content.loaded.recall"].outcome is Outcome.FAILED


def test_times_are_held_against_their_limits():
    arms = {"idle": arm(side(3000), side(3000)), "loaded": arm(side(3000), side(3000))}
    slow = Measurement("content.loaded.latency", 0.15, "s", 6000, 0.14, 0.16)
    fast = Measurement("content.idle.latency", 0.05, "s", 6000, 0.04, 0.06)
    found = judged({"arms": arms}, [slow, fast])
    assert found["content.loaded.latency"].outcome is Outcome.FAILED
    assert found["content.latency"].outcome is Outcome.PASSED


@pytest.mark.parametrize("content", [{}, MAPPED, {**MAPPED, "levels": [], "safety_check": "say"}])
def test_without_evidence_every_planned_check_is_not_tested(content):
    settings = content_settings(**content)
    found = judge_content(Evidence(), settings)
    own = [each for check, each in found.items() if check.startswith("content.")]
    assert len(own) >= 15
    outcomes = {each.outcome for each in own}
    assert outcomes <= {Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE}
    if not content:
        assert "does not say how a text is checked" in found["content.recall"].message
