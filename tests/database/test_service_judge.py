"""From what was seen of a service to findings: what proves nothing is neither a pass nor an accusation."""

import pytest
from scene import settings_of

from campaign.records import Evidence, Measurement, Outcome
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


@pytest.mark.parametrize(
    ("race", "seen", "outcome"),
    [
        ("profile", {"runs": 9, "confirmed": 9, "overlapped": 7}, Outcome.PASSED),
        ("profile", {"runs": 9, "confirmed": 9, "overlapped": 7, "lost": 1}, Outcome.FAILED),
        ("profile", {"runs": 9, "confirmed": 9, "overlapped": 0}, Outcome.INCONCLUSIVE),
        ("profile", {"runs": 9, "confirmed": 0, "refusals": {"dress: 409": 9}}, Outcome.INCONCLUSIVE),
        ("profile", {"runs": 9, "confirmed": 9, "overlapped": 9, "none_seen": 8}, Outcome.INCONCLUSIVE),
        ("profile", {"why": "rename did not go well"}, Outcome.INCONCLUSIVE),
        ("consent", {"runs": 9, "confirmed": 9, "overlapped": 3}, Outcome.PASSED),
        ("consent", {"runs": 9, "confirmed": 9, "overlapped": 3, "stored_after": 1}, Outcome.FAILED),
        ("consent", {"runs": 9, "confirmed": 9, "overlapped": 0}, Outcome.INCONCLUSIVE),
        ("own", {"runs": 9, "confirmed": 9}, Outcome.PASSED),
        ("own", {"runs": 9, "confirmed": 9, "stale": 2}, Outcome.FAILED),
        ("own", {"runs": 9, "confirmed": 9, "unread": 9}, Outcome.INCONCLUSIVE),
        ("own", {"runs": 0}, Outcome.INCONCLUSIVE),
    ],
)
def test_a_race_is_judged_by_what_was_confirmed_and_seen(race, seen, outcome):
    facts = {"races": {race: {"kind": RACES[race]["kind"], **seen}}}
    assert judged(facts, f"service.race.{race}", races={race: RACES[race]}).outcome is outcome


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


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        ({"done": 10, "refused": "", "stuck": 0, "quiet": 2.5, "probes": [GOOD]}, Outcome.PASSED),
        ({"done": 3, "refused": "", "stuck": 3, "quiet": 2.5, "probes": [GOOD]}, Outcome.FAILED),
        ({"done": 5, "refused": "missing: status 503", "probes": [BAD]}, Outcome.FAILED),
        ({"done": 5, "refused": "missing: status 503", "probes": [GOOD]}, Outcome.INCONCLUSIVE),
        ({"done": 10, "refused": "", "probes": [BAD, GOOD]}, Outcome.INCONCLUSIVE),
        ({"done": 4, "refused": "", "probes": [GOOD]}, Outcome.INCONCLUSIVE),
    ],
)
def test_a_leak_is_a_session_that_stays_or_a_service_that_answers_no_more(seen, outcome):
    facts = {"leak": {"probe_ok": True, "alone": 0.01, "why": "", **seen}}
    assert judged(facts, "service.connections.leak", connections={"leak": LEAK}).outcome is outcome


def test_a_part_of_which_nothing_is_asked_is_not_wanted():
    assert not ServicePart().wanted(settings_of())
    assert ServicePart().wanted(settings_of(service={"statements": ["history"]}))
