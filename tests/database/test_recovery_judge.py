"""What the evidence of a disturbance allows to be said, case by case, and how the page shows it."""

import copy
from importlib.resources import files

import pytest
from scene import settings_of

from campaign.database.address import Kind
from campaign.ledger.entry import Entry, Mark
from campaign.ledger.moments import moments
from campaign.records import Evidence, Outcome, Severity
from campaign.report.html import _environment
from phases.database.recovery.figures import plain
from phases.database.recovery.part import RecoveryPart
from phases.database.recovery.settings import RecoverySettings
from phases.database.recovery.strikes import Strike
from phases.database.recovery.trial import Story
from phases.database.recovery.witness import Run
from phases.database.recovery.witness import restarted as same_or_not
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
        ({"to_healthy": 0.5, "longest_gap": 61.0}, PASSED, PASSED, FAILED, PASSED),
        ({"to_healthy": None, "recovered": False}, PASSED, PASSED, FAILED, PASSED),
        ({"to_healthy": None, "detected": None, "flowing": False}, PASSED, PASSED, FAILED, PASSED),
        ({"leaked": {"sessions": 1, "in_transaction": 1, "checked_out": 0}}, PASSED, PASSED, PASSED, FAILED),
        ({"leaked": {"sessions": 0, "in_transaction": 0, "checked_out": 1}}, PASSED, PASSED, PASSED, PASSED),
        ({"leaked": {"sessions": 1, "in_transaction": 0, "checked_out": 1}}, PASSED, PASSED, PASSED, OPEN),
        ({"leaked": {"sessions": 2, "in_transaction": 0, "checked_out": 1}}, PASSED, PASSED, PASSED, FAILED),
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


def test_an_outage_is_as_long_as_the_longer_of_its_failures_and_its_silence():
    quiet = judged(evidence_of(to_healthy=0.5, longest_gap=61.0))["recovered"]
    assert "the longest time without an acknowledgement was 61 s (at most 30 s)" in quiet.message
    loud = judged(evidence_of(to_healthy=2.0, longest_gap=0.1))["recovered"]
    assert "time to healthy, from the first failure was 2 s" in loud.message


def test_a_connection_that_only_our_own_pool_misses_is_told_and_accuses_nobody():
    leaked = judged(evidence_of(leaked={"sessions": 0, "in_transaction": 0, "checked_out": 1}))["leaked"]
    assert leaked.outcome is Outcome.PASSED
    assert "connections that our own pool still misses: 1" in leaked.message


BROKEN = {"command": "systemctl restart db", "exit_code": 1, "seconds": 0.1, "output": "Access denied\nmore"}


def restarted(**changes):
    return evidence_of(name="restart", title="server restarted", commands=[BROKEN], **changes)


def told(evidence):
    settings = settings_of(recovery={"restart": "systemctl restart db"})
    found = {each.check: each for each in RecoveryPart().judge(evidence, settings)}
    return {check: each for check, each in found.items() if check.startswith("recovery.restart.")}


def test_a_command_that_failed_is_told_once_and_plainly_and_blocks():
    (finding,) = told(restarted(proved=False, proof="exit code 1; the same start time")).values()
    assert (finding.check, finding.outcome) == ("recovery.restart.command", Outcome.INCONCLUSIVE)
    assert finding.severity is Severity.BLOCKER
    assert finding.message.endswith("the restart command failed with exit code 1: Access denied")
    assert "restart: systemctl restart db" in finding.remedy


def test_what_is_proved_all_the_same_is_judged_beside_the_command_that_failed():
    outcomes = {check.rpartition(".")[2]: each.outcome.value for check, each in told(restarted()).items()}
    good = dict.fromkeys(("lost", "phantom", "recovered", "leaked"), PASSED)
    assert outcomes == {"command": OPEN, **good}
    lost = told(restarted(proved=False, lost=SOME))
    assert {check.rpartition(".")[2]: each.outcome.value for check, each in lost.items()} == {
        "command": OPEN,
        "lost": FAILED,
    }


def test_a_command_that_was_ended_says_that_it_took_too_long():
    slow = {**BROKEN, "exit_code": None, "seconds": 60.0, "output": ""}
    evidence = restarted(proved=False)
    evidence.facts["recovery"]["disturbances"][0]["commands"] = [slow]
    message = told(evidence)["recovery.restart.command"].message
    assert message.endswith("the restart command did not end within 60.0 s: it said nothing")


def test_a_doubt_says_what_to_do_about_it_and_not_about_our_machine():
    finding = judged(evidence_of(proved=False))["recovered"]
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "quiet machine" not in finding.remedy


@pytest.mark.parametrize(
    ("restarted", "failures", "proved"),
    [(True, 0, True), (False, 1, False), (False, 0, False), (None, 1, True), (None, 0, False)],
)
def test_a_server_that_kept_its_start_time_was_not_restarted_whatever_else_failed(
    restarted, failures, proved
):
    marks = [Entry(Mark.UNANSWERED, 0, at) for at in range(failures)]
    story = Story("restart", strike=Strike(), moments=moments(marks, 10), restarted=restarted)
    assert plain(story, RecoverySettings(restart="false"))["proved"] is proved


def test_start_times_that_are_not_known_say_nothing_of_a_restart():
    kind = Kind.MYSQL  # which says whole seconds
    unsaid, before, same, other = Run(None, None), Run(5.0, 60.0), Run(5.4, 90.0), Run(69.0, 1.0)
    assert (same_or_not(kind, unsaid, same), same_or_not(kind, before, unsaid)) == (None, None)
    assert (same_or_not(kind, before, same), same_or_not(kind, before, other)) == (False, True)
    assert same_or_not(kind, Run(5.0, 1.0), Run(7.0, 1.0)) is None, "it had just begun"


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
    assert "Idle connections killed by the server" in whole
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
