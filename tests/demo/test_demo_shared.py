"""Guardians see the child that they were invited to, operators any, both only as long as it is there; and the
third party is told what parents consented to alone.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from servers import wait_until

from campaign.demo.insights import insights_through
from campaign.demo.options import UnusableOptionError


def invited(parent):
    answer = parent.http.post(f"/api/children/{parent.child_id}/guardian")
    assert answer.status_code == 201
    return {"invitation": answer.json()["invitation"]}


def in_charge(guardian):
    return guardian.http.get("/api/guardian/children").json()["children"]


@pytest.fixture
def operator(demo):
    body = {"email": "operator@example.com", "password": "demo-password"}
    with demo.client() as stranger:
        token = stranger.post("/api/auth/login/json", json=body).json()["access_token"]
    with demo.client(token) as client:
        yield client


def test_a_guardian_sees_the_child_that_it_was_invited_to_and_no_other(new_parent):
    mother, guardian, other = new_parent(), new_parent(), new_parent()
    mother.say("My dragon is called Zyrqophel")
    mother.http.post(f"/api/children/{mother.child_id}/activity", json={"kind": "game", "detail": "chess"})
    assert in_charge(guardian) == []
    invitation = invited(mother)
    accepted = guardian.http.post("/api/guardian/children", json=invitation)
    (child,) = accepted.json()["children"]
    assert child["id"] == mother.child_id
    assert child["said"] == ["My dragon is called Zyrqophel"]
    assert [each["detail"] for each in child["activities"]] == ["chess"]
    assert in_charge(guardian) == [child]
    assert other.http.post("/api/guardian/children", json=invitation).status_code == 404
    assert in_charge(other) == []
    assert guardian.http.get(f"/api/children/{mother.child_id}").status_code == 404
    assert guardian.http.patch(f"/api/children/{mother.child_id}", json={"name": "X"}).status_code == 404


def test_what_is_deleted_is_seen_by_nobody_any_more(new_parent, operator):
    mother, guardian = new_parent(), new_parent()
    guardian.http.post("/api/guardian/children", json=invited(mother))
    seen = operator.get(f"/api/operator/children/{mother.child_id}")
    assert (seen.status_code, seen.json()["name"]) == (200, "Kim")
    assert mother.http.delete(f"/api/children/{mother.child_id}").status_code == 204
    assert in_charge(guardian) == []
    assert operator.get(f"/api/operator/children/{mother.child_id}").status_code == 404


def test_who_is_neither_sees_nothing(new_parent):
    mother, other = new_parent(), new_parent()
    assert other.http.post(f"/api/children/{mother.child_id}/guardian").status_code == 404
    assert other.http.post("/api/guardian/children", json={"invitation": "nothing"}).status_code == 404
    assert mother.http.get(f"/api/operator/children/{mother.child_id}").status_code == 403


class Partner(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append((self.path, json.loads(body)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def partner():
    with ThreadingHTTPServer(("127.0.0.1", 0), Partner) as server:
        server.heard = []
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_third_party_is_told_where_a_parent_consented_to_that_and_else_nothing(start, partner):
    few = ("--seed-parents", "2", "--seed-history", "10")
    with start(*few, "--outgoing-proxy", f"127.0.0.1:{partner.server_port}") as demo, demo.login(1) as http:
        child = http.get("/api/children").json()["children"][0]["id"]
        said = {"child_id": child, "text": "Not for others"}
        assert http.post("/api/conversation", json=said).status_code == 200
        proof = {"method": "signed_form", "reference": "form"}
        consent = {"kind": "third_party", "verification": proof}
        assert http.post(f"/api/children/{child}/consent", json=consent).status_code == 200
        assert http.post("/api/conversation", json={**said, "text": "For others"}).status_code == 200
        wait_until(lambda: partner.heard, seconds=5)
        http.delete(f"/api/children/{child}/consent", params={"kind": "third_party"})
        assert http.post("/api/conversation", json=said).status_code == 200
    assert partner.heard == [("http://insights.example/v1/turns", {"said": "For others"})]


def test_an_address_that_is_none_is_said():
    with pytest.raises(UnusableOptionError, match="HOST:PORT"):
        insights_through("nowhere")
