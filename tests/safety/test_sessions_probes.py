"""Who is who: a sound service refuses every token that is none, ends what has ended, and takes no field that
is nobody's to send; and a defect fails just the probe that speaks of it.
"""

import pytest
from entrances import ROLES, SESSIONS, entrance_file
from family import judged, running_demo

from campaign.records import Evidence, Outcome
from phases.safety.sessions.judge import findings
from phases.safety.settings import SafetySettings

OTHERS = [
    "isolation", "consent", "deletion", "crowd", "retention", "audio", "parties", "content", "quotas",
    "transport",
]  # fmt: skip
NOT_THERE = {
    "sessions.toy.refresh_reuse", "sessions.toy.after_password_change", "sessions.parent.tampered_subject",
    "sessions.parent.alg_none", "sessions.parent.weak_secret",
}  # fmt: skip


def run(url, database, roles=None, **sessions):
    nothing = {"resources": {}, "allow": {}, "consent": {}, "deletion": {}}
    return judged(
        url,
        file=entrance_file(url, database),
        roles={**ROLES, **(roles or {})},
        sessions={**SESSIONS, **sessions},
        skip=OTHERS,
        **nothing,
    )


def outcomes(found):
    """What is not passed, by its check."""
    return {
        check: each.outcome.value
        for check, each in found.items()
        if check.startswith(("sessions.", "cast.")) and each.outcome is not Outcome.PASSED
    }


def test_a_sound_service_passes_every_probe_and_everybody_leaves():
    with running_demo() as (url, database):
        found, evidence = run(url, database)
    assert outcomes(found) == dict.fromkeys(NOT_THERE, "not_applicable")
    assert len([check for check in found if check.startswith("sessions.")]) == 38
    assert evidence.facts["cast"]["left"] == {}


@pytest.mark.defects
@pytest.mark.parametrize(
    ("defect", "check", "said"),
    [
        ("token-after-logout", "parent.after_logout", "token after logout was answered (200)"),
        ("token-alg-none", "toy.alg_none", "was answered to a token with alg none (200, as toy A1)"),
        ("session-fixation", "fixation", "the session id given before the sign-in is signed in afterwards"),
        ("mass-assignment", "mass_assignment.rename", "children.parent_id in the database has it"),
    ],
)
def test_a_defect_fails_its_probe_alone(defect, check, said):
    with running_demo("--defect", defect) as (url, database):
        found, evidence = run(url, database)
    assert outcomes(found) == {f"sessions.{check}": "failed", **dict.fromkeys(NOT_THERE, "not_applicable")}
    finding = found[f"sessions.{check}"]
    assert said in finding.message
    named = finding.message.rpartition("[")[2].rstrip("]").split(", ")
    shown = {each["id"] for each in evidence.facts["exchanges"]}
    assert named
    assert set(named) <= shown


def test_without_a_database_a_child_that_was_moved_away_is_missed_by_its_owner():
    with running_demo("--defect", "mass-assignment") as (url, _):
        found, _ = run(url, "")
    message = found["sessions.mass_assignment.rename"].message
    assert found["sessions.mass_assignment.rename"].outcome is Outcome.FAILED
    assert "its owner does not see it any more (404)" in message


def test_who_cannot_do_it_with_its_own_token_is_not_tested_and_never_passed():
    broken = {"parent": {**SESSIONS["sign_ins"]["parent"], "protected": "toy"}}  # which needs a toy's token
    with running_demo() as (url, database):
        found, _ = run(
            url, database, sign_ins=broken, fixation=None, ids={}, mass_assignment={}, functions={}
        )
    for kind in ("no_token", "garbage", "after_logout", "refresh_reuse"):
        assert found[f"sessions.parent.{kind}"].outcome is Outcome.INCONCLUSIVE


def test_a_stranger_role_and_an_operation_that_fails_are_said():
    ids = {"token": {"role": "nobody", "make": "login_again"}}
    shown = {"get_child": {"role": "parent"}}  # a parent has no child_id of its own here
    with running_demo() as (url, database):
        found, _ = run(
            url,
            database,
            sign_ins={},
            fixation=None,
            ids=ids,
            excessive=shown,
            mass_assignment={},
            functions={},
        )
    assert "the campaign file has no role 'nobody'" in found["sessions.ids.token"].message
    assert "not tested" in found["sessions.excessive.get_child"].message


def test_fields_that_a_role_should_not_see_are_named():
    with running_demo() as (url, database):
        found, _ = run(
            url,
            database,
            sign_ins={},
            fixation=None,
            ids={},
            mass_assignment={},
            functions={},
            excessive={"me": {"role": "parent", "fields": ["id", "name"]}, "login_again": {"role": "parent"}},
        )
    assert found["sessions.excessive.me"].outcome is Outcome.FAILED
    assert "created_at_ms, email" in found["sessions.excessive.me"].message
    assert found["sessions.excessive.login_again"].outcome is Outcome.PASSED


def test_a_list_with_fewer_items_than_the_limit_says_nothing():
    pages = {
        "story_page": {
            "role": "toy",
            "parameter": "offset",
            "items": "$.messages",
            "most": 200,
            "value": 1000,
        }
    }
    with running_demo() as (url, database):
        found, _ = run(
            url,
            database,
            sign_ins={},
            fixation=None,
            ids={},
            mass_assignment={},
            functions={},
            page_size=pages,
        )
    assert found["sessions.page_size.story_page"].outcome is Outcome.INCONCLUSIVE
    assert "items only" in found["sessions.page_size.story_page"].message


@pytest.mark.parametrize("section", [{}, SESSIONS], ids=["nothing mapped", "never reached"])
def test_what_was_not_asked_is_not_tested(section):
    settings = SafetySettings.model_validate({"roles": ROLES, "sessions": section})
    found = list(findings(Evidence(), settings.sessions))
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE}
    assert len(found) == (16 if not section else 38)
    assert all(each.message.startswith("not tested: ") for each in found)
