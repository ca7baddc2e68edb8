"""No consent, no collection: a sound service refuses and stores nothing, in every state and at the moment of
revocation.
"""

import pytest
from demo_file import section, tried_alone
from family import SAFETY, judged, running_demo

from campaign.records import Evidence, Outcome
from phases.safety.cast.principal import Heard
from phases.safety.consent.collect import _judged
from phases.safety.consent.deltas import added
from phases.safety.consent.judge import findings
from phases.safety.consent.trying import Attempt, Unasked
from phases.safety.settings import SafetySettings

OTHERS = ["isolation", "crowd", "content", "sessions", "transport", "deletion", "retention", "quotas"]
LACKED = SAFETY["consent"]["lacks"]


def outcomes(found):
    return {
        check: each.outcome.value
        for check, each in found.items()
        if check.startswith("consent.") and each.outcome not in {Outcome.PASSED, Outcome.NOT_APPLICABLE}
    }


def test_a_sound_service_collects_nothing_without_consent():
    with running_demo() as (url, database):
        found, evidence = judged(url, database=database, skip=OTHERS)
    assert outcomes(found) == {}
    assert len([check for check in found if check.startswith("consent.")]) == 8 + len(LACKED)
    assert evidence.facts["cast"]["left"] == {}


def test_every_state_of_consent_against_every_kind_of_collection_on_the_demo():
    with running_demo() as (url, database):
        found, evidence = tried_alone("consent", url, database=database, race=None, load=None)
    assert outcomes(found) == {"consent.race": "inconclusive"}
    states, kinds = section()["consent"]["states"], section()["consent"]["collect"]
    asked = {f"consent.{state}.{kind}" for state in states for kind in kinds}
    assert asked == found.keys() - {"consent.race"}
    needless = {check for check, each in found.items() if each.outcome is Outcome.NOT_APPLICABLE}
    assert needless == {  # without consent there never was a session that they could go on with
        f"consent.{state}.{kind}"
        for state in ("none", "pending", "withdrawn", "another_child", "disclosure_only")
        for kind in ("listen", "live")
    }
    assert evidence.facts["cast"]["left"] == {}


def sent(status, *, spoken=False, **found):
    ok = status == 200
    answer = Heard("send", "E7", status, ok, "" if ok else f"status {status}", b"", {}, 0, 0)
    return Attempt(answer, spoken, **found)


@pytest.mark.parametrize(
    ("attempt", "answered", "said"),
    [
        (sent(403), "passed", "was refused (403), and nothing of it is stored"),
        (sent(101, spoken=True), "passed", "was let in, and not heard"),
        (sent(403, places=("table a (1)",)), "failed", "was answered 403, and stored in table a"),
        (sent(403, read=("get_child",)), "failed", "stored in get_child"),
        (sent(101, spoken=True, places=("redis",)), "failed", "stored in redis"),
        (sent(200, grown=(("minutes", 2),)), "failed", "2 more rows of the child in table minutes"),
        (sent(200), "not_tested", "accepted (200), and found nowhere"),
        (sent(403, grown=(("refusals", 1),)), "not_tested", "belongs into consent.notes"),
        (sent(500), "not_tested", "no answer settles it"),
        (sent(429), "not_tested", "no answer settles it"),
        (sent(None), "not_tested", "no answer settles it"),
        (sent(403, unread=("table a: locked",)), "not_tested", "table a: locked"),
        (Unasked("ask did not go well"), "not_tested", "ask did not go well"),
        (Unasked("no session_id", needless=True), "not_applicable", "nobody can ask for send then"),
    ],
)
def test_what_is_stored_decides_and_what_settles_nothing_is_not_passed(attempt, answered, said):
    probe = _judged("none", "send", attempt)
    assert (probe.check, probe.answered.value) == ("consent.none.send", answered)
    assert said in probe.said


def test_rows_are_told_by_whose_they_are_and_notes_of_refusals_are_left_out():
    before = {("kim", "children"): 1, ("sam", "minutes"): 3}
    after = {("kim", "children"): 1, ("kim", "minutes"): 2, ("kim", "refusals"): 1, ("sam", "minutes"): 9}
    assert added(before, after, ["kim"]) == {"minutes": 2, "refusals": 1}
    assert added(before, after, ["kim"], but=["refusals"]) == {"minutes": 2}
    assert added(before, before, ["kim", "sam"]) == {}


def test_what_is_stored_after_a_revocation_was_answered_is_found():
    with running_demo("--defect", "write-skew") as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS)
    assert outcomes(found) == {"consent.race": "failed"}
    assert "stored after the revocation was answered" in found["consent.race"].message


def test_a_service_that_refuses_everything_is_not_tested_and_never_passed():
    give = {**SAFETY["consent"], "give": [], "race": None, "load": None}
    with running_demo() as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS, consent=give)
    said = found["consent.none.say_first"]
    assert said.outcome is Outcome.INCONCLUSIVE
    assert "with consent, say_first did not go well either" in said.message


@pytest.mark.parametrize("section", [{}, SAFETY["consent"]], ids=["nothing mapped", "never reached"])
def test_what_was_not_asked_is_not_tested(section):
    settings = SafetySettings.model_validate({**SAFETY, "consent": section})
    found = [
        each
        for each in findings(Evidence(), settings.consent)
        if each.check.removeprefix("consent.") not in settings.consent.lacks
    ]
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE}
    assert all("not tested" in each.message or each.check == "consent.load" for each in found)


@pytest.mark.defects
@pytest.mark.parametrize(
    ("defect", "wanted"),
    [
        (
            "consent-not-checked",
            {"consent.none.add_activity": "failed", "consent.revoked.add_activity": "failed"},
        ),
        ("consent-race", {"consent.race": "failed"}),
    ],
)
def test_a_defect_fails_its_checks_alone(defect, wanted):
    race = {**SAFETY["consent"], "race": {"write": "say_first", "runs": 40}}
    with running_demo("--defect", defect) as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS, consent=race)
    assert outcomes(found) == wanted
