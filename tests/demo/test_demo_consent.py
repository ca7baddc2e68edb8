"""Nothing is collected about a child without a parent's current consent."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from servers import wait_until


def collect(parent):
    child = f"/api/children/{parent.child_id}"
    return [
        parent.say("Hello teddy"),
        parent.http.post(f"{child}/activity", json={"kind": "game"}),
        parent.http.patch(child, json={"interests": "dragons"}),
    ]


def refused(parent):
    answers = collect(parent)
    codes = [(answer.status_code, answer.json()["error"]["code"]) for answer in answers]
    return codes == [(403, "consent_required")] * len(answers)


def revoke(parent, kind="collection"):
    return parent.http.delete(f"/api/children/{parent.child_id}/consent", params={"kind": kind})


def test_without_consent_nothing_is_collected(new_parent):
    parent = new_parent(consent=False)
    assert refused(parent)
    assert parent.http.get("/api/stats").json() == {
        "children": 1,
        "sessions": 0,
        "messages": 0,
        "filtered": 0,
    }


def test_with_consent_everything_is_collected(new_parent):
    assert [answer.status_code for answer in collect(new_parent())] == [200, 201, 200]


def test_after_revocation_nothing_more_is_collected_but_all_can_be_read(new_parent, grant):
    parent = new_parent()
    session = parent.say("Hello teddy").json()["session_id"]
    assert revoke(parent).json()["consents"][0]["state"] == "revoked"
    assert refused(parent)
    assert parent.http.get(f"/api/session/{session}/history").json()["total"] == 2
    assert grant(parent).status_code == 200
    assert parent.say("Hello again").status_code == 200


def test_consent_to_an_older_policy_does_not_count(new_parent, grant):
    parent = new_parent(consent=False)
    assert grant(parent, policy_version="2020-01").status_code == 200
    assert refused(parent)


def test_a_consent_that_expired_does_not_count(new_parent, grant):
    parent = new_parent(consent=False)
    assert grant(parent, good_for_s=3600).json()["expires_at_ms"] > 0
    assert [answer.status_code for answer in collect(parent)] == [200, 201, 200]
    grant(parent, good_for_s=0.001)
    wait_until(lambda: refused(parent), seconds=5)


def test_until_a_parent_who_was_asked_has_decided_nothing_is_collected(new_parent, grant):
    parent = new_parent(consent=False)
    question = f"/api/children/{parent.child_id}/consent/question"
    asked = parent.http.post(question, json={"kind": "collection"})
    assert (asked.status_code, asked.json()["state"]) == (202, "pending")
    assert refused(parent)
    assert grant(parent).status_code == 200
    assert [answer.status_code for answer in collect(parent)] == [200, 201, 200]
    assert parent.http.post(question, json={"kind": "collection"}).json()["state"] == "granted"
    assert [answer.status_code for answer in collect(parent)] == [200, 201, 200]


def test_third_party_consent_is_separate(new_parent, grant):
    parent = new_parent(consent=False)
    grant(parent, kind="third_party")
    assert refused(parent)
    grant(parent)
    revoke(parent, kind="third_party")
    states = parent.http.get(f"/api/children/{parent.child_id}/consent").json()
    assert {c["kind"]: c["state"] for c in states["consents"]} == {
        "third_party": "revoked",
        "collection": "granted",
    }
    assert parent.say("Hello").status_code == 200


@pytest.mark.parametrize("verification", [None, {}, {"method": "trust me", "reference": "x"}])
def test_consent_must_be_verifiable(new_parent, grant, verification):
    parent = new_parent(consent=False)
    assert grant(parent, verification=verification).status_code == 422


def test_no_turn_is_stored_after_a_revocation_was_answered(new_parent):
    parent = new_parent()
    session = parent.say("Hello").json()["session_id"]
    parent.session_id = session
    with ThreadPoolExecutor(8) as pool:
        turns = [pool.submit(parent.say, f"Hello {n}") for n in range(40)]
        turns[3].result()
        assert revoke(parent).status_code == 200
        stored = parent.http.get(f"/api/session/{session}/history").json()["total"]
        statuses = [turn.result().status_code for turn in turns]
    assert set(statuses) <= {200, 403}
    assert parent.http.get(f"/api/session/{session}/history").json()["total"] == stored
    assert stored == 2 * (1 + statuses.count(200))
