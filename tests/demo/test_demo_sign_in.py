"""Signing in and out: browsers' sessions, changed passwords, toys and their tokens, and the access log; and
what each of the faults in them does.
"""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

SMALL = ("--seed-parents=2", "--seed-history=0")
COOKIE = "teddy_session"


def registered(demo):
    body = {"email": f"p{os.urandom(6).hex()}@example.com", "password": "a-good-password", "name": "Pat"}
    with demo.client() as stranger:
        made = stranger.post("/api/auth/register", json=body).json()
    http = demo.client(made["access_token"])
    child = http.post("/api/children", json={"name": "Kim", "birth_year": 2019}).json()["id"]
    return http, body, child


def browsed(demo, credentials):
    """A browser that visits and signs in: the ids of its session before and after, and what both may do."""
    with demo.client() as browser:
        browser.get("/api/auth/welcome")
        before = browser.cookies[COOKIE]
        browser.post("/api/auth/login/json", json=credentials)
        after = browser.cookies[COOKIE]
    answers = []
    for session in (before, after):
        with demo.client() as other:
            answers.append(other.get("/api/user/me", headers={"Cookie": f"{COOKIE}={session}"}).status_code)
    return before, after, answers


def without_signature(token, **changes):
    _, payload, _ = token.split(".")
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) | changes
    packed = [
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "none"}, claims)
    ]
    return ".".join([*packed, ""])


def as_toy(demo, token):
    with demo.client(token) as toy:
        return toy.get("/api/toy")


def test_a_browser_gets_a_new_session_when_it_signs_in_and_none_when_it_signs_out(demo):
    _, credentials, _ = registered(demo)
    before, after, answers = browsed(demo, credentials)
    assert before != after
    assert answers == [401, 200]
    with demo.client() as browser:
        browser.cookies.set(COOKIE, after)
        assert browser.post("/api/auth/logout").status_code == 204
        assert browser.get("/api/user/me").status_code == 401


def test_the_session_cookie_is_closed_to_scripts_and_to_other_sites(demo):
    with demo.client() as browser:
        said = browser.get("/api/auth/welcome").headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said


def test_a_changed_password_ends_every_sign_in_but_the_new_one(demo):
    http, credentials, _ = registered(demo)
    with demo.client() as stranger:
        other = stranger.post("/api/auth/login/json", json=credentials).json()["access_token"]
    change = {"password": credentials["password"], "new_password": "a-better-password"}
    assert http.post("/api/user/password", json=change | {"password": "wrong"}).status_code == 403
    changed = http.post("/api/user/password", json=change)
    assert changed.status_code == 200
    for token, status in ((http.headers["authorization"][7:], 401), (other, 401),
                          (changed.json()["access_token"], 200)):  # fmt: skip
        with demo.client(token) as client:
            assert client.get("/api/user/me").status_code == status
    with demo.client() as stranger:
        assert stranger.post("/api/auth/login/json", json=credentials).status_code == 401


def test_a_toy_knows_its_child_alone_and_until_it_is_unpaired(demo):
    http, _, child = registered(demo)
    sister = http.post("/api/children", json={"name": "Lou", "birth_year": 2020}).json()["id"]
    tokens = {
        each: http.post(f"/api/children/{each}/toy", json={}).json()["toy_token"] for each in (child, sister)
    }
    assert as_toy(demo, tokens[child]).json()["name"] == "Kim"
    header, payload, signature = tokens[child].split(".")
    mixed = f"{header}.{tokens[sister].split('.')[1]}.{signature}"
    forged = without_signature(tokens[child], sub=sister)
    for token in (mixed, forged, f"{header}.{payload}.", "a.b.c", "", http.headers["authorization"][7:]):
        assert as_toy(demo, token).status_code == 401
    with demo.client(tokens[child]) as toy:
        assert toy.get("/api/children").status_code == 401
        assert toy.post("/api/toy/conversation", json={"text": "Hello"}).status_code == 403  # no consent
    assert http.delete(f"/api/children/{child}/toy").status_code == 204
    assert as_toy(demo, tokens[child]).status_code == 401
    assert as_toy(demo, tokens[sister]).status_code == 200
    http.delete(f"/api/children/{sister}")
    assert as_toy(demo, tokens[sister]).status_code == 401


def test_a_toy_talks_with_consent(demo, new_parent):
    parent = new_parent()
    token = parent.http.post(f"/api/children/{parent.child_id}/toy", json={}).json()["toy_token"]
    with demo.client(token) as toy:
        said = toy.post("/api/toy/conversation", json={"text": "Tell me a story"})
    assert said.status_code == 200
    page = parent.http.get(f"/api/session/{said.json()['session_id']}/history").json()
    assert page["messages"][-1]["text"] == "Tell me a story"


def test_no_family_reaches_the_toys_of_another(demo):
    _, _, child = registered(demo)
    stranger, _, _ = registered(demo)
    assert stranger.post(f"/api/children/{child}/toy", json={}).status_code == 404
    assert stranger.delete(f"/api/children/{child}/toy").status_code == 404


def test_a_change_sets_only_what_a_profile_shows(demo, new_parent):
    parent, other = new_parent(), new_parent()
    path = f"/api/children/{parent.child_id}"
    parent.http.patch(path, json={"interests": "chess", "parent_id": other.tokens["parent_id"]})
    assert parent.http.get(path).json()["interests"] == "chess"
    assert other.http.get(path).status_code == 404


@pytest.mark.parametrize("defect", [None, "pii-in-logs"])
def test_the_access_log_has_a_line_per_request_and_nothing_of_anybody(start, tmp_path, defect):
    log = tmp_path / "access.log"
    with start(*SMALL, f"--access-log={log}", *([f"--defect={defect}"] if defect else [])) as demo:
        _, credentials, _ = registered(demo)
    said = log.read_text()
    assert "POST /api/auth/register 201" in said
    assert (credentials["email"] in said) == bool(defect)


def test_an_access_log_that_cannot_be_written_is_said(start, tmp_path):
    with pytest.raises(ValueError, match="not enough values"), start(f"--access-log={tmp_path}"):
        pass


def test_token_after_logout(start):
    with start(*SMALL, "--defect=token-after-logout") as demo:
        http, _, _ = registered(demo)
        assert http.post("/api/auth/logout").status_code == 204
        assert http.get("/api/user/me").status_code == 200


def test_token_alg_none(start):
    with start(*SMALL, "--defect=token-alg-none") as demo:
        http, _, child = registered(demo)
        token = http.post(f"/api/children/{child}/toy", json={}).json()["toy_token"]
        assert as_toy(demo, without_signature(token)).json()["id"] == child
        assert as_toy(demo, f"{token[:-4]}AAAA").status_code == 401


def test_session_fixation(start):
    with start(*SMALL, "--defect=session-fixation") as demo:
        _, credentials, _ = registered(demo)
        before, after, answers = browsed(demo, credentials)
    assert before == after
    assert answers == [200, 200]


def test_mass_assignment(start):
    with start(*SMALL, "--defect=mass-assignment") as demo:
        http, _, child = registered(demo)
        other, _, _ = registered(demo)
        consent = {"kind": "collection", "verification": {"method": "signed_form", "reference": "form 7"}}
        http.post(f"/api/children/{child}/consent", json=consent)
        with demo.client() as stranger:
            seeded = {"email": "parent0001@example.com", "password": "demo-password"}
            thief = stranger.post("/api/auth/login/json", json=seeded).json()
        http.patch(f"/api/children/{child}", json={"interests": "chess", "parent_id": thief["parent_id"]})
        assert http.get(f"/api/children/{child}").status_code == 404
        with demo.client(thief["access_token"]) as client:
            assert client.get(f"/api/children/{child}").json()["name"] == "Kim"
        other.close()
