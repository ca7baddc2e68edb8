"""What a parent deletes is gone, and nothing else is: a sound service passes, and a defect fails the checks
that speak of it.
"""

import asyncio
from collections import Counter

import pytest
from demo_file import tried_alone
from family import SAFETY, judged, read_file, running_demo

from campaign.canary import Mint
from campaign.records import Evidence, Outcome
from phases.safety.deletion.judge import findings
from phases.safety.held import CHUNK, beginning, count_words, in_logs
from phases.safety.settings import PartName, SafetySettings

OTHERS = [name for name in PartName.__args__ if name != "deletion"]
NOT_HERE = {
    "deletion.by_others.own_child": "not_applicable",
    "deletion.erased.logs": "not_applicable",
    "deletion.erased.redis": "not_applicable",
    "deletion.recall": "informational",
}
ASKED = {
    "deletion.assistant",
    "deletion.by_others.another_family",
    "deletion.by_others.anonymous",
    "deletion.erased.database",
    "deletion.export.add_activity",
    "deletion.export.converse",
    "deletion.export.rename",
    "deletion.export.say_first",
    "deletion.others",
    "deletion.reads",
    "deletion.resurrection",
    "deletion.same_name",
}


def of_deletion(found):
    return {check: each for check, each in found.items() if check.startswith("deletion.")}


def outcomes(found):
    return {
        check: each.outcome.value
        for check, each in of_deletion(found).items()
        if each.outcome is not Outcome.PASSED
    }


def section(**changes):
    return {**SAFETY["deletion"], **changes}


def test_what_a_sound_service_deletes_is_gone():
    with running_demo() as (url, database):
        found, evidence = judged(url, database=database, skip=OTHERS)
    assert outcomes(found) == NOT_HERE
    assert of_deletion(found).keys() == ASKED | NOT_HERE.keys()
    assert found["deletion.recall"].message == "the export holds what 4 of 4 paths of collection stored"
    assert 0 < evidence.find("deletion.erased.database").value < 2
    assert evidence.facts["cast"]["left"] == {}


def test_what_is_deleted_is_gone_for_guardians_and_operators_from_redis_and_from_the_log(
    redis_server, tmp_path
):
    log = str(tmp_path / "access.log")
    with running_demo("--redis-url", redis_server.url, "--access-log", log) as (url, database):
        found, evidence = tried_alone(
            "deletion", url, database=database, redis=redis_server.url, logs=[log], race=None, others=2
        )
    assert outcomes(found) == {
        "deletion.by_others.own_child": "not_applicable",
        "deletion.recall": "informational",
        "deletion.resurrection": "inconclusive",  # no race was asked for
    }
    assert "shown by in_my_charge as guardian A1" in found["deletion.reads.guardian"].message
    assert "shown by operators_view as operator A1" in found["deletion.reads.operator"].message
    assert "in every key of Redis" in found["deletion.erased.redis"].message
    assert "in the log files, " in found["deletion.erased.logs"].message
    assert evidence.facts["cast"]["left"] == {}


@pytest.mark.defects
@pytest.mark.parametrize(
    ("defect", "wanted"),
    [
        (
            "stale-cache",
            {"deletion.reads": "get_child as mother", "deletion.erased.redis": "teddy:text:child"},
        ),
        ("pii-in-logs", {"deletion.erased.logs": "access.log"}),
    ],
)
def test_what_a_cache_or_a_log_keeps_is_found_there(defect, wanted, redis_server, tmp_path):
    log = str(tmp_path / "access.log")
    options = ("--redis-url", redis_server.url, "--access-log", log, "--defect", defect)
    with running_demo(*options) as (url, database):
        found, _ = tried_alone(
            "deletion", url, database=database, redis=redis_server.url, logs=[log], race=None, others=2
        )
    assert {
        check: found[check].message for check in outcomes(found) if outcomes(found)[check] == "failed"
    } == {check: found[check].message for check in wanted}
    assert [text for check, text in wanted.items() if text not in found[check].message] == []


@pytest.mark.defects
def test_what_an_admin_still_sees_is_found_and_one_who_never_saw_it_proves_nothing():
    roles = {
        **SAFETY["roles"],
        "admin": {"start": ["register"], "stop": ["delete_account"], "credentials": ["token"], "families": 1},
    }
    readers = {"admin": {"reads": "search"}}
    asked = section(readers=readers, race=None, secret=None, others=2)
    with running_demo("--defect", "cache-key-collision") as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS, roles=roles, deletion=asked)
        seen = found["deletion.reads.admin"]
        assert (seen.outcome, "search as admin A1 (200)" in seen.message) == (Outcome.FAILED, True)
    with running_demo() as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS, roles=roles, deletion=asked)
        blind = found["deletion.reads.admin"]
    assert blind.outcome is Outcome.INCONCLUSIVE
    assert "not shown before either: search as admin A1" in blind.message
    assert found["deletion.reads"].outcome is Outcome.PASSED


@pytest.mark.defects
@pytest.mark.parametrize(
    ("defect", "wanted"),
    [
        ("delete-leaves-rows", {"deletion.erased.database": "table activities (2 words)"}),
        ("delete-resurrects", {"deletion.resurrection": "table children"}),
        ("stale-cache", {"deletion.reads": "get_child as parent"}),
    ],
)
def test_a_defect_fails_its_check_alone(defect, wanted):
    with running_demo("--defect", defect) as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS)
    assert outcomes(found) == NOT_HERE | dict.fromkeys(wanted, "failed")
    assert [text for check, text in wanted.items() if text not in found[check].message] == []


@pytest.mark.defects
def test_what_is_remembered_of_the_child_for_all_children_is_found():
    deletion = section(secret={"tell": "confide", "ask": "find_dragon"}, race=None)
    with running_demo("--defect", "cache-key-collision") as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS, deletion=deletion)
    failed = [check for check, outcome in outcomes(found).items() if outcome == "failed"]
    assert failed == ["deletion.reads", "deletion.assistant"]
    assert "told another child the deleted one's secret" in found["deletion.assistant"].message


@pytest.mark.defects
def test_a_deletion_that_takes_the_siblings_along_and_one_that_anybody_may_ask_for_are_found():
    with running_demo() as (url, database):
        whole_account = section(delete="delete_account", race=None, secret=None)
        found, _ = judged(url, database=database, skip=OTHERS, deletion=whole_account)
        others = found["deletion.others"]
        assert others.outcome is Outcome.FAILED
        assert "6 of 6 other children lost something when one was deleted" in others.message

        text = read_file(url, database).replace("save: {token:", "save: {kept: $.access_token, token:")
        anybodys = text.replace(
            'delete_child: {request: "DELETE /api/children/{{ child_id }}", auth: "{{ token }}"',
            'delete_child: {request: "DELETE /api/children/{{ child_id }}", auth: "{{ kept }}"',
        )
        found, _ = judged(url, file=anybodys, skip=OTHERS, deletion=section(race=None, secret=None))
        refused = found["deletion.by_others.another_family"]
        assert refused.outcome is Outcome.FAILED
        assert "parent B1 asked to delete child A3 and was answered 204: its parent sees it no more" in (
            refused.message
        )


@pytest.mark.defects
def test_what_cannot_be_settled_is_not_tested_and_never_passed(tmp_path):
    deletion = section(
        export=["me"], reads=["me"], logs=[str(tmp_path / "none.log")], race={"write": ["me"], "runs": 1}
    )
    with running_demo() as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS, deletion=deletion)
        without, _ = judged(url, skip=OTHERS, deletion=section(collect=["converse", "me"], export=[]))
    said = outcomes(found)
    assert {check for check, outcome in said.items() if outcome == "failed"} == {
        check for check in ASKED if check.startswith("deletion.export.")
    }
    assert "what converse stored is not in the export" in found["deletion.export.converse"].message
    assert "none.log: No such file" in found["deletion.erased.logs"].message
    for check in ("erased.logs", "reads", "by_others.anonymous"):
        assert said[f"deletion.{check}"] == "inconclusive", check
    open_ = {check for check, outcome in outcomes(without).items() if outcome == "inconclusive"}
    assert open_ == {
        "deletion.erased.database",
        "deletion.export.converse",
        "deletion.export.me",
        "deletion.resurrection",
    }


@pytest.mark.parametrize("given", [{}, SAFETY["deletion"]], ids=["nothing mapped", "never reached"])
def test_what_was_not_asked_is_not_tested(given):
    settings = SafetySettings.model_validate({**SAFETY, "deletion": given})
    found = list(findings(Evidence(), settings))
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE}
    assert all("not tested" in each.message for each in found)


def test_words_are_counted_wherever_they_stand_and_in_logs_across_pieces(tmp_path):
    mint = Mint(7)
    one, two = mint.canary("1"), mint.canary("2")
    texts = [f"a {one} {one}", f"{two}|x", "my dragon is ZYRQ", Mint(8).canary("1")]
    assert count_words(texts, beginning(one), ("Zyrq",)) == Counter({one: 1, two: 1, "Zyrq": 1})
    log = tmp_path / "service.log"
    log.write_bytes(b"x" * (CHUNK - 10) + one.encode() + b"\n")
    empty = tmp_path / "empty.log"
    empty.touch()
    looked = asyncio.run(in_logs([str(log), str(empty)], [one]))
    assert looked.found == (str(log),)
    assert looked.unread == (f"{empty} is empty",)
    assert asyncio.run(in_logs([str(log)], [two])).found == ()
