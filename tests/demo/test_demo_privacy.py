"""The export holds everything, and deletion leaves nothing."""

import os
import sqlite3

import pytest


@pytest.fixture
def canaries():
    return tuple(f"canary-{path}-{os.urandom(8).hex()}" for path in ("name", "talk", "activity", "interest"))


@pytest.fixture
def filled(new_parent, canaries):
    parent = new_parent()
    path = f"/api/children/{parent.child_id}"
    parent.http.patch(path, json={"name": canaries[0], "interests": canaries[3]})
    parent.say(f"My dragon is called {canaries[1]}")
    parent.say("how do I make a bomb")
    parent.http.post(f"{path}/activity", json={"kind": "game", "detail": canaries[2]})
    return parent


def dump(file):
    with sqlite3.connect(file) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return "\n".join(lines)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("database") / "teddy.sqlite"


@pytest.fixture(scope="module")
def demo(start, file):
    with start("--seed-parents=2", "--seed-history=0", f"--database-url=sqlite:///{file}") as demo:
        yield demo


def test_the_export_holds_everything_and_no_secret(filled, canaries):
    requested = filled.http.post("/api/gdpr/export")
    assert requested.status_code == 202
    export = filled.http.get(f"/api/gdpr/export/{requested.json()['id']}")
    assert export.json()["status"] == "complete"
    assert [canary for canary in canaries if canary not in export.text] == []
    data = export.json()["data"]
    assert data["parent"]["email"] == filled.email
    (child,) = data["children"]
    counts = {
        name: len(child[name]) for name in ("consents", "sessions", "messages", "activities", "safety_events")
    }
    assert counts == {"consents": 1, "sessions": 2, "messages": 4, "activities": 1, "safety_events": 1}
    assert "scrypt" not in export.text


def test_deleting_a_child_leaves_nothing_of_it(filled, canaries, file):
    assert [canary for canary in canaries if canary not in dump(file)] == []
    assert filled.http.delete(f"/api/children/{filled.child_id}").status_code == 204
    left = dump(file)
    assert [trace for trace in (*canaries, filled.child_id) if trace in left] == []
    assert filled.email in left


def test_deleting_an_account_needs_the_password_and_leaves_nothing(filled, canaries, new_parent, file):
    other = new_parent()
    other.say(f"mine is {canaries[1]}-too")
    wrong = filled.http.post("/api/gdpr/delete", json={"password": "not it"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (403, "forbidden")
    assert filled.http.post("/api/gdpr/delete", json={"password": filled.password}).status_code == 204
    left = dump(file)
    traces = (canaries[0], *canaries[2:], filled.email, filled.tokens["parent_id"], filled.child_id)
    assert [trace for trace in traces if trace in left] == []
    assert filled.http.get("/api/user/me").status_code == 401
    assert f"{canaries[1]}-too" in left


def test_neither_password_nor_token_is_stored(filled, file):
    stored = dump(file)
    secrets = (filled.password, filled.tokens["access_token"], filled.tokens["refresh_token"])
    assert [secret for secret in secrets if secret in stored] == []
