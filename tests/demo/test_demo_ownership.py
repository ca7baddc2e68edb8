"""Nobody reaches another family's data, whatever the id and wherever it travels."""

import pytest


@pytest.fixture
def families(new_parent):
    mine, theirs = new_parent(), new_parent()
    for family in (mine, theirs):
        family.session_id = family.say("My secret dragon is called Zyrqophel").json()["session_id"]
    export = theirs.http.post("/api/gdpr/export").json()["id"]
    return mine, theirs, export


READS = (
    ("GET", "/api/children/{child}"),
    ("GET", "/api/children/{child}/consent"),
    ("GET", "/api/children/{child}/sessions"),
    ("GET", "/api/children/{child}/activity"),
    ("GET", "/api/session/{session}/history"),
    ("GET", "/api/gdpr/export/{export}"),
    ("DELETE", "/api/children/{child}"),
    ("DELETE", "/api/children/{child}/consent?kind=collection"),
)


@pytest.mark.parametrize(("method", "path"), READS)
def test_another_familys_object_is_not_found(families, method, path):
    mine, theirs, export = families
    answer = mine.http.request(
        method, path.format(child=theirs.child_id, session=theirs.session_id, export=export)
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert theirs.http.get(f"/api/session/{theirs.session_id}/history").json()["total"] == 2
    assert theirs.say("Hello").status_code == 200


def test_writing_for_another_familys_child_is_refused_and_stores_nothing(families):
    mine, theirs, _ = families
    child = f"/api/children/{theirs.child_id}"
    verification = {"method": "signed_form", "reference": "x"}
    answers = [
        mine.http.patch(child, json={"name": "Mallory"}),
        mine.http.post(f"{child}/activity", json={"kind": "game"}),
        mine.http.post(f"{child}/consent", json={"kind": "third_party", "verification": verification}),
        mine.say("Hello", child_id=theirs.child_id, session_id=theirs.session_id),
        mine.say("Hello", child_id=theirs.child_id, session_id=None),
        mine.say("Hello", session_id=theirs.session_id),
        mine.http.post("/api/search", json={"child_id": theirs.child_id, "query": "dragon"}),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert theirs.http.get(child).json()["name"] == "Kim"
    assert theirs.http.get(f"{child}/activity").json() == {"activities": []}
    assert theirs.http.get("/api/stats").json() == {
        "children": 1,
        "sessions": 1,
        "messages": 2,
        "filtered": 0,
    }


def test_lists_and_counts_hold_only_the_own_family(families):
    mine, _, _ = families
    assert [child["id"] for child in mine.http.get("/api/children").json()["children"]] == [mine.child_id]
    assert [one["id"] for one in mine.http.get("/api/parent/dashboard").json()["children"]] == [mine.child_id]
    found = mine.http.post("/api/search", json={"child_id": mine.child_id, "query": "ZYRQOPHEL"}).json()[
        "results"
    ]
    assert {line["session_id"] for line in found} == {mine.session_id}


def test_a_childs_session_cannot_be_used_by_a_sibling(new_parent, grant):
    parent = new_parent()
    session = parent.say("Hello").json()["session_id"]
    sibling = parent.http.post("/api/children", json={"name": "Lee", "birth_year": 2020}).json()["id"]
    parent.child_id = sibling
    grant(parent)
    assert parent.say("Hello", session_id=session).status_code == 404
