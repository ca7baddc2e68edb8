"""No consent, no collection: a sound service refuses and stores nothing, in every state and at the moment of
revocation.
"""

import pytest
from family import SAFETY, judged, running_demo

from campaign.records import Evidence, Outcome
from phases.safety.consent.judge import findings
from phases.safety.settings import SafetySettings

OTHERS = ["isolation", "crowd", "content", "sessions", "transport", "deletion", "retention", "quotas"]


def outcomes(found):
    return {
        check: each.outcome.value
        for check, each in found.items()
        if check.startswith("consent.") and each.outcome is not Outcome.PASSED
    }


def test_a_sound_service_collects_nothing_without_consent():
    with running_demo() as (url, database):
        found, evidence = judged(url, database=database, skip=OTHERS)
    assert outcomes(found) == {}
    assert len([check for check in found if check.startswith("consent.")]) == 8
    assert evidence.facts["cast"]["left"] == {}


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
    found = list(findings(Evidence(), settings.consent))
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
