"""Everybody tries everything on everybody's data, alone and in a crowd: a sound service passes, and a defect
fails just the checks that speak of it.
"""

import pytest
from family import SAFETY, judged, running_demo

from campaign.records import Evidence, Outcome
from phases.safety.isolation.judge import findings
from phases.safety.settings import PartName, SafetySettings

CROWD = {"kinds": ["child"], "users": 15, "hold": "6s", "disconnects": "5%"}
OURS = ("isolation.", "crowd.", "cast.")
OTHERS = [name for name in PartName.__args__ if name not in {"isolation", "crowd"}]


def outcomes(findings):
    """What is not passed, by its check; no fault is allowed here."""
    return {
        check: each.outcome.value
        for check, each in findings.items()
        if check.startswith(OURS) and each.outcome is not Outcome.PASSED and check != "crowd.during_fault"
    }


def test_a_sound_service_passes_every_cell():
    with running_demo() as (url, database):
        found, evidence = judged(url, database=database, skip=OTHERS, crowd=CROWD)
    assert outcomes(found) == {}
    cells = evidence.facts["isolation"]["cells"]
    assert len(cells) > 200
    assert {cell["why"] for cell in cells} == {""}


def test_a_change_that_is_answered_404_is_found_by_what_its_owner_sees():
    with running_demo("--defect", "idor-write") as (url, database):
        found, evidence = judged(url, database=database, skip=OTHERS)
    assert outcomes(found) == {"isolation.profile.update": "failed", **NO_CROWD}
    message = found["isolation.profile.update"].message
    assert "parent B1 was answered 404, and child A1 sees what parent B1 wrote" in message
    shown = {each["id"]: each for each in evidence.facts["exchanges"]}
    named = message.rpartition("[")[2].rstrip("]").split(", ")
    assert shown[named[0]]["who"] == "parent B1"
    assert shown[named[0]]["curl"].startswith("curl -i -X PATCH")
    assert "$TOKEN" in shown[named[0]]["curl"]


NO_CROWD = {"crowd.own_words": "inconclusive", "crowd.same_words": "inconclusive"}

FOUND = {
    "idor-read": {"isolation.conversation.read": "failed"},
    "idor-search": {"isolation.conversation.search": "failed"},
    "export-leak": {"isolation.account.export": "failed"},
    "websocket-no-auth": {"isolation.conversation.websocket": "failed"},
}


@pytest.mark.defects
@pytest.mark.parametrize("defect", FOUND)
def test_a_defect_fails_its_check_alone(defect):
    with running_demo("--defect", defect) as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS)
    assert outcomes(found) == {**FOUND[defect], **NO_CROWD}


@pytest.mark.defects
@pytest.mark.parametrize("defect", ["mixed-up-answers", "cache-key-collision"])
def test_what_only_a_crowd_shows_is_found_in_a_crowd(defect):
    with running_demo("--defect", defect) as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS, crowd={**CROWD, "users": 20, "hold": "16s"})
    seen = outcomes(found)
    assert "failed" in {seen.get("crowd.own_words"), seen.get("crowd.same_words")}
    allowed = {"crowd.own_words", "crowd.same_words"}
    if (
        defect == "cache-key-collision"
    ):  # seen one by one as well: the second who searches gets the first one's
        allowed.add("isolation.conversation.search")
    assert set(seen) <= allowed


def test_an_owner_who_cannot_see_its_own_is_not_tested_and_never_passed():
    resources = {"notes": {"owner": "child", "ids": ["child_id"], "read": "children", "update": "rename"}}
    with running_demo("--defect", "slow-history") as (url, database):
        blind = {**resources["notes"], "read": "me"}  # which shows the parent's canary, not the child's
        found, _ = judged(url, database=database, skip=OTHERS, resources={"notes": blind})
    assert found["isolation.notes.read"].outcome is Outcome.INCONCLUSIVE
    assert "does not find its canary" in found["isolation.notes.read"].message


def test_without_evidence_every_planned_cell_is_undecided():
    settings = SafetySettings.model_validate(SAFETY)
    found = list(findings(Evidence(), settings))
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE}
    assert len(found) == 12
