"""What the evidence of a disturbance allows to be said, case by case, and how the page shows it."""

import copy
from importlib.resources import files

import pytest

from campaign.records import Evidence, Outcome, Severity
from campaign.report.html import _environment
from phases.database.recovery.part import RecoveryPart
from phases.database.settings import DatabaseSettings

NONE = {"count": 0, "first": []}
SOME = {"count": 3, "first": [4, 5, 6]}
GOOD = {
    "name": "kill_idle",
    "title": "idle connections killed by the server",
    "why": "",
    "proved": True,
    "proof": "4 of 4 sessions killed are gone from the server's list",
    "commands": [],
    "acknowledged_before": 200,
    "detected": 0.01,
    "to_healthy": 0.2,
    "recovered": True,
    "flowing": True,
    "watched": 2.0,
    "errors": 4,
    "errors_later": 0,
    "longest_gap": 0.2,
    "acknowledged": 400,
    "refused": 4,
    "unknown": 0,
    "unknown_found": 0,
    "found": 400,
    "lost": NONE,
    "phantom": NONE,
    "unexpected": NONE,
    "doubled": NONE,
    "unreadable": "",
    "table_gone": False,
    "leaked": {"sessions": 0, "in_transaction": 0, "checked_out": 0},
    "errors_by": {"connection 57P01": 4},
    "retries": 4,
    "connects": 8,
    "skipped": 0,
    "timeline": [{"at": 0.0, "what": "it began"}],
}
PASSED, FAILED, OPEN = "passed", "failed", "inconclusive"
UNREAD = dict.fromkeys(("lost", "phantom", "unexpected", "doubled"), None)


def evidence_of(**changes):
    trial = {**copy.deepcopy(GOOD), **changes}
    trial = {name: value for name, value in trial.items() if value is not None or name not in UNREAD}
    facts = {"why_not": "", "rest": "it was never reached", "disturbances": [trial]}
    facts |= {"rate": 200.0, "connections": 4, "pre_ping": True}
    return Evidence(facts={"recovery": facts})


def judged(evidence):
    found = {each.check: each for each in RecoveryPart().judge(evidence, DatabaseSettings())}
    return {check.rpartition(".")[2]: each for check, each in found.items() if ".kill_idle." in check}


@pytest.mark.parametrize(
    ("changes", "lost", "phantom", "recovered", "leaked"),
    [
        ({}, PASSED, PASSED, PASSED, PASSED),
        ({"lost": SOME}, FAILED, PASSED, PASSED, PASSED),
        ({"phantom": SOME}, PASSED, FAILED, PASSED, PASSED),
        ({"unexpected": SOME}, PASSED, FAILED, PASSED, PASSED),
        ({"doubled": SOME}, PASSED, FAILED, PASSED, PASSED),
        ({"to_healthy": 31.0}, PASSED, PASSED, FAILED, PASSED),
        ({"to_healthy": None, "recovered": False}, PASSED, PASSED, FAILED, PASSED),
        ({"to_healthy": None, "detected": None, "flowing": False}, PASSED, PASSED, FAILED, PASSED),
        ({"leaked": {"sessions": 1, "in_transaction": 1, "checked_out": 0}}, PASSED, PASSED, PASSED, FAILED),
        ({"leaked": {"sessions": 0, "in_transaction": 0, "checked_out": 1}}, PASSED, PASSED, PASSED, FAILED),
        ({"proved": False}, OPEN, OPEN, OPEN, OPEN),
        ({"proved": False, "lost": SOME}, FAILED, OPEN, OPEN, OPEN),
        ({"acknowledged_before": 0}, OPEN, OPEN, OPEN, OPEN),
        ({"why": "it was interrupted", "recovered": False}, OPEN, OPEN, OPEN, OPEN),
        ({**UNREAD, "leaked": None, "unreadable": "connection refused"}, OPEN, OPEN, PASSED, OPEN),
    ],
)
def test_each_check_says_what_the_evidence_allows(changes, lost, phantom, recovered, leaked):
    outcomes = {check: each.outcome.value for check, each in judged(evidence_of(**changes)).items()}
    assert outcomes == {"lost": lost, "phantom": phantom, "recovered": recovered, "leaked": leaked}


def test_what_was_lost_is_a_blocker_and_is_told_with_both_numbers():
    lost = judged(evidence_of(lost=SOME))["lost"]
    assert lost.severity is Severity.BLOCKER
    assert "3 of 400 acknowledged writes were lost (the first: 4, 5, 6)" in lost.message


def test_every_planned_check_is_there_although_nothing_was_reached():
    found = list(RecoveryPart().judge(Evidence(), DatabaseSettings()))
    assert len(found) == 8
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE}
    broken = Evidence(facts={"trouble": {"recovery": "disk full"}})
    assert all("disk full" in each.message for each in RecoveryPart().judge(broken, DatabaseSettings()))


def rendered(facts):
    text = files("phases.database").joinpath("recovery/partial.html").read_text(encoding="utf-8")
    return _environment().from_string(text).render(phase={}, evidence={"facts": facts})


def test_the_page_shows_the_numbers_and_survives_facts_that_are_missing():
    whole = rendered(evidence_of(lost=SOME).facts)
    assert "idle connections killed by the server" in whole
    assert "200 ms" in whole
    assert rendered({}).strip() == ""
    bare = {
        "name": "freeze",
        "title": "server frozen",
        "why": "it was interrupted",
        "proved": False,
        "proof": "",
    }
    told = rendered({"recovery": {"rate": 200.0, "connections": 4, "pre_ping": True, "disturbances": [bare]}})
    assert "it was interrupted" in told
    assert "Not applicable: SQLite" in rendered({"recovery": {"why_not": "SQLite", "disturbances": []}})
