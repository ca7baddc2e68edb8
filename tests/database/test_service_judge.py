"""From what was seen of a service to findings: what proves nothing is neither a pass nor an accusation."""

import pytest
from scene import settings_of

from campaign.records import Evidence, Measurement, Outcome, Severity
from phases.database.service.judge_races import enough_together
from phases.database.service.part import ServicePart

RACES = {
    "profile": {
        "kind": "lost update", "first": "rename", "second": "dress", "read": "show",
        "expect": {"$.name": "A", "$.coat": "B"},
    },
    "consent": {
        "kind": "write after", "event": "revoke", "write": "say", "read": "count", "count": "$.total"
    },
    "own": {"kind": "read your writes", "write": "rename", "read": "show", "expect": {"$.name": "A"}},
}  # fmt: skip
WAITING = {"operation": "say", "lock": "consents", "beside": "me", "at_once": 2}
LEAK = {"operations": "missing", "probe": "me", "times": 10}


def judged(facts, check, *, measurements=(), trouble=None, **service):
    evidence = Evidence(measurements, (), {"service": facts} | ({"trouble": trouble} if trouble else {}), ())
    findings = ServicePart().judge(evidence, settings_of(service=service))
    return {each.check: each for each in findings}[check]


SEEN = {"runs": 30, "confirmed": 30, "overlapped": 20}
STORES = {**SEEN, "alone": 3, "alone_stored": 3}


@pytest.mark.parametrize(
    ("race", "seen", "outcome"),
    [
        ("profile", SEEN, Outcome.PASSED),
        ("profile", {**SEEN, "lost": 1}, Outcome.FAILED),
        ("profile", {**SEEN, "lost": 15, "old_read": 15}, Outcome.FAILED),
        ("profile", {**SEEN, "overlapped": 5}, Outcome.PASSED),
        ("profile", {**SEEN, "overlapped": 4}, Outcome.INCONCLUSIVE),
        ("profile", {**SEEN, "confirmed": 15}, Outcome.PASSED),
        ("profile", {**SEEN, "confirmed": 14}, Outcome.INCONCLUSIVE),
        ("profile", {"runs": 30, "confirmed": 0, "refusals": {"dress: 409": 30}}, Outcome.INCONCLUSIVE),
        ("profile", {**SEEN, "runs": 8, "confirmed": 8, "overlapped": 8}, Outcome.INCONCLUSIVE),
        ("profile", {**SEEN, "old_read": 16}, Outcome.INCONCLUSIVE),
        ("profile", {**SEEN, "unread": 10, "old_read": 6}, Outcome.INCONCLUSIVE),
        ("profile", {"why": "rename did not go well"}, Outcome.INCONCLUSIVE),
        ("consent", STORES, Outcome.PASSED),
        ("consent", {**STORES, "stored_after": 1}, Outcome.FAILED),
        ("consent", {**STORES, "overlapped": 1}, Outcome.INCONCLUSIVE),
        ("consent", {**STORES, "confirmed": 1, "overlapped": 1}, Outcome.INCONCLUSIVE),
        ("consent", {**STORES, "alone_stored": 0}, Outcome.INCONCLUSIVE),
        ("consent", {**STORES, "alone_stored": 1}, Outcome.INCONCLUSIVE),
        ("consent", SEEN, Outcome.INCONCLUSIVE),
        ("own", {"runs": 30, "confirmed": 30}, Outcome.PASSED),
        ("own", {"runs": 30, "confirmed": 30, "stale": 2}, Outcome.FAILED),
        ("own", {"runs": 30, "confirmed": 30, "unread": 16}, Outcome.INCONCLUSIVE),
        ("own", {"runs": 30, "confirmed": 1}, Outcome.INCONCLUSIVE),
        ("own", {"runs": 0}, Outcome.INCONCLUSIVE),
    ],
)
def test_a_race_is_judged_by_what_was_confirmed_and_seen(race, seen, outcome):
    facts = {"races": {race: {"kind": RACES[race]["kind"], **seen}}}
    assert judged(facts, f"service.race.{race}", races={race: RACES[race]}).outcome is outcome


@pytest.mark.parametrize(("times", "least"), [(1, 1), (8, 3), (12, 4), (30, 5), (1000, 5)])
def test_how_many_runs_must_have_overlapped_grows_with_their_number(times, least):
    assert enough_together(times) == least


def test_runs_that_could_not_be_read_are_not_counted_as_kept_words():
    facts = {"races": {"profile": {**SEEN, "unread": 4}}}
    said = judged(facts, "service.race.profile", races={"profile": RACES["profile"]}).message
    assert said == (
        "race profile (lost update) kept its word: 26 of 30 runs confirmed and read, "
        "20 of them at the same time"
    )


def test_a_read_that_shows_only_old_things_is_named_as_the_reason():
    facts = {"races": {"profile": {**SEEN, "old_read": 30}}}
    said = judged(facts, "service.race.profile", races={"profile": RACES["profile"]}).message
    assert said == (
        "race profile (lost update): in 30 of 30 runs show showed neither change, nor a moment later rename "
        "and dress when they were done one after the other: what it shows is old, so it tells nothing about "
        "the race"
    )


def test_a_write_that_stores_nothing_by_itself_is_named_as_the_reason():
    facts = {"races": {"consent": {**STORES, "alone_stored": 0, "refusals_alone": {"say: status 403": 3}}}}
    said = judged(facts, "service.race.consent", races={"consent": RACES["consent"]}).message
    assert said == (
        "race consent (write after): say by itself raised $.total in 0 of 3 tries, so it stores nothing that "
        "could be seen (say: status 403)"
    )


def test_what_was_never_reached_says_why():
    found = judged(
        {}, "service.race.own", races={"own": RACES["own"]}, trouble={"service": "login: status 500"}
    )
    assert (found.outcome, found.message) == (Outcome.INCONCLUSIVE, "race own: login: status 500")


@pytest.mark.parametrize(
    ("each", "low", "high", "outcome"),
    [
        (4, 4, 4, Outcome.PASSED),
        (22, 22, 22, Outcome.FAILED),
        (22, 22, None, Outcome.FAILED),
        (4, 4, None, Outcome.INCONCLUSIVE),
        (11, 8, 11, Outcome.INCONCLUSIVE),
    ],
)
def test_statements_per_request_are_held_against_their_limit(each, low, high, outcome):
    name = "service.statements.history"
    measured = Measurement(name, each, "statements", 20, low, high)
    found = judged({}, name, measurements=(measured,), statements={"history": "< 10"})
    assert found.outcome is outcome


@pytest.mark.parametrize(
    ("statements", "severity"),
    [
        (["history"], Severity.IMPORTANT),
        ({"history": "< 10"}, Severity.CRITICAL),
        ({"history": {"limit": "< 10", "severity": "important"}}, Severity.IMPORTANT),
    ],
)
def test_a_limit_of_statements_that_the_file_names_is_critical(statements, severity):
    name = "service.statements.history"
    found = judged(
        {}, name, measurements=(Measurement(name, 23, "statements", 20, 23, 23),), statements=statements
    )
    assert (found.outcome, found.severity) == (Outcome.FAILED, severity)


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [(0.02, Outcome.PASSED), (2.0, Outcome.WARNED), (29.0, Outcome.FAILED), (None, Outcome.INCONCLUSIVE)],
)
def test_a_crowd_that_is_answered_late_fails(seconds, outcome):
    name = "service.connections.crowd_p95"
    measured = () if seconds is None else (Measurement(name, seconds, "s", 500, seconds, seconds),)
    crowd = {"operations": "me", "users": 8}
    assert judged({}, name, measurements=measured, connections={"crowd": crowd}).outcome is outcome


def step(waiting, **changes):
    usual = {"in_time": True, "ok": True, "why": "", "seconds": 0.01, "in_database": waiting}
    usual |= {"sessions": 4, "active_then": waiting}
    return {"waiting": waiting, **usual, **changes}


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ([step(1), step(2)], Outcome.PASSED),
        ([step(1), step(2, in_time=False)], Outcome.FAILED),
        ([step(1, in_time=False, sessions=1)], Outcome.FAILED),
        ([step(1, in_time=False, ok=False, why="no answer")], Outcome.INCONCLUSIVE),
        ([step(1, in_time=False, active_then=2)], Outcome.INCONCLUSIVE),
        ([step(1, in_database=0)], Outcome.INCONCLUSIVE),
        ([step(1), step(2, in_database=1)], Outcome.INCONCLUSIVE),
        ([step(1)], Outcome.INCONCLUSIVE),
        ([], Outcome.INCONCLUSIVE),
    ],
)
def test_a_pool_is_too_small_only_where_a_request_stood_still_beside_waiting_ones(steps, outcome):
    facts = {"waiting": {"alone": 0.01, "alone_ok": True, "why": "", "steps": steps}}
    found = judged(facts, "service.connections.pool", connections={"waiting": WAITING})
    assert found.outcome is outcome


GOOD, BAD = {"ok": True, "seconds": 0.01, "why": ""}, {"ok": False, "seconds": 5.0, "why": "status 503"}
SLOW = {"ok": True, "seconds": 4.9, "why": ""}


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        ({"done": 10, "refused": "", "stuck": 0, "quiet": 2.5, "probes": [GOOD]}, Outcome.PASSED),
        ({"done": 3, "refused": "", "stuck": 3, "quiet": 2.5, "probes": [GOOD]}, Outcome.FAILED),
        ({"done": 5, "refused": "missing: status 503", "probes": [BAD]}, Outcome.FAILED),
        ({"done": 5, "refused": "missing: status 503", "probes": [GOOD]}, Outcome.INCONCLUSIVE),
        ({"done": 10, "refused": "", "probes": [BAD, GOOD]}, Outcome.INCONCLUSIVE),
        ({"done": 4, "refused": "", "probes": [GOOD]}, Outcome.INCONCLUSIVE),
        ({"done": 10, "refused": "", "probes": [SLOW, SLOW]}, Outcome.FAILED),
        ({"done": 10, "refused": "", "probes": [SLOW, GOOD]}, Outcome.INCONCLUSIVE),
        ({"done": 10, "refused": "", "probes": [{**GOOD, "seconds": 0.4}]}, Outcome.PASSED),
    ],
)
def test_a_leak_is_a_session_that_stays_or_a_service_that_answers_no_more(seen, outcome):
    facts = {"leak": {"probe_ok": True, "alone": 0.01, "why": "", **seen}}
    assert judged(facts, "service.connections.leak", connections={"leak": LEAK}).outcome is outcome


def test_a_part_of_which_nothing_is_asked_is_not_wanted():
    assert not ServicePart().wanted(settings_of())
    assert ServicePart().wanted(settings_of(service={"statements": ["history"]}))
