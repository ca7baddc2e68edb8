"""Each fault of the demo's filter is told by the findings that speak of it, and by no other."""

import pytest
from family import running_demo
from filtered import DEMO, run_content

from campaign.records import Outcome

pytestmark = pytest.mark.defects

TIMES = {"latency", "loaded.latency", "rate", "levels.latency", "safety_check"}
"""Checks that a busy machine of ours, or a slow filter, fails as well."""

RIGHT = {"accuracy", "recall", "loaded.accuracy", "loaded.recall"}
WRONG = {"accuracy", "false_positives", "loaded.accuracy", "loaded.false_positives"}


def failed(tmp_path, defect, **content):
    with running_demo("--seed-parents", "40", "--defect", defect) as (url, _):
        found, _ = run_content(
            url, tmp_path, **{**DEMO, "levels": [], "items": 400, "repeats": 10, "connections": 12, **content}
        )
    return {check.removeprefix("content.") for check, each in found.items() if each.outcome is Outcome.FAILED}


def test_a_filter_that_digits_deceive(tmp_path):
    found = failed(tmp_path, "filter-leetspeak") - TIMES - {"categories"}
    assert found == {*RIGHT, "relations"}


def test_a_filter_that_blocks_what_is_safe(tmp_path):
    found = failed(tmp_path, "filter-blocks-safe") - TIMES - {"relations", "two_turns"}
    assert found == {*WRONG, "categories"}


def test_a_filter_that_fails_open_under_load(tmp_path):
    asked = {"rate": "300/s", "idle": 2, "kinds": "parent", "beside": 5}
    found = failed(tmp_path, "filter-fails-open-under-load", **asked) - TIMES
    assert {"loaded.recall", "degradation"} <= found
    assert found <= {"loaded.accuracy", "loaded.recall", "degradation", "fails_open", "loaded.unanswered"}
