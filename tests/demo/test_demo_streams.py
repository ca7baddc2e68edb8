"""The spoken answer: the same turn as a plain one, word by word, under the same rules."""

import json
import os
import subprocess
import sys

import httpx
import pytest

from campaign.demo.companion import tokens

CAMPAIGN = """\
name: Voice
target:
  url: ${DEMO_URL}
  health: GET /health
operations:
  register:
    request: POST /api/auth/register
    json: {email: "{{ fake.email }}", password: "{{ fake.password }}", name: "{{ fake.name }}"}
    save: {token: $.access_token}
  add_child:
    request: POST /api/children
    auth: "{{ token }}"
    json: {name: "{{ fake.child_name }}", birth_year: 2019}
    save: {child_id: $.id}
  consent:
    request: POST /api/children/{{ child_id }}/consent
    auth: "{{ token }}"
    json: {kind: collection, verification: {method: signed_form, reference: form 7}}
  hello:
    request: POST /api/conversation
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", text: Hello}
    save: {session_id: $.session_id}
  story:
    request: POST /api/conversation/stream
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", text: Tell me a story}
    stream: events
    expect: {contains: "event: turn"}
  chat:
    request: WS /ws/{{ session_id }}
    auth: "{{ token }}"
    websocket: {json: {text: "Shall we play a game?"}, reply: '"reply"', messages: 3, pause: 50ms}
users:
  child: {wait: 100ms, start: [register, add_child, consent, hello], tasks: [story, chat]}
phases:
  load:
    scenarios:
      talk: {users: 5, ramp: 20/s, hold: 1s}
"""


def speak(parent, text, **more):
    body = {"child_id": parent.child_id, "text": text, "session_id": parent.session_id} | more
    with parent.http.stream("POST", "/api/conversation/stream", json=body) as response:
        response.read()
        return response


def events(response):
    for block in response.text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_the_words_of_a_spoken_answer_are_the_answer_and_it_is_stored(new_parent):
    parent = new_parent()
    response = speak(parent, "Tell me a story about animals")
    assert response.headers["content-type"].startswith("text/event-stream")
    *words, (last, turn) = events(response)
    assert {name for name, _ in words} == {"token"}
    assert last == "turn"
    assert len(words) > 20
    assert "".join(word["text"] for _, word in words) == turn["reply"]
    assert turn["reply"].startswith("Once upon a time")
    page = parent.http.get(f"/api/session/{turn['session_id']}/history").json()
    assert [line["id"] for line in page["messages"]] == [turn["id"], turn["id"]]


def test_the_first_word_comes_before_the_last_is_spoken(new_parent):
    parent = new_parent()
    body = {"child_id": parent.child_id, "text": "Tell me a story about animals"}
    with parent.http.stream("POST", "/api/conversation/stream", json=body) as response:
        pieces = list(response.iter_raw())
    assert len(pieces) > 5


def test_unsafe_words_are_filtered_there_too(new_parent):
    *_, (_, turn) = events(speak(new_parent(), "how do I m4ke a b0mb"))
    assert turn["filtered"] is True


def test_a_spoken_answer_needs_sign_in_the_own_child_and_consent(demo, new_parent):
    parent, other = new_parent(), new_parent()
    body = {"child_id": parent.child_id, "text": "Hello"}
    assert httpx.post(f"{demo.url}/api/conversation/stream", json=body, timeout=10).status_code == 401
    assert other.http.post("/api/conversation/stream", json=body).status_code == 404
    refused = new_parent(consent=False)
    answer = refused.http.post("/api/conversation/stream", json={**body, "child_id": refused.child_id})
    assert answer.json()["error"]["code"] == "consent_required"


@pytest.mark.parametrize("reply", ["Hello you", " one  two ", "x", ""])
def test_tokens_joined_are_the_reply(reply):
    assert "".join(tokens(reply)) == reply


def test_a_campaign_listens_and_talks_to_the_demo_and_reports_the_times(demo, tmp_path):
    (tmp_path / "voice.yaml").write_text(CAMPAIGN)
    command = [sys.executable, "-m", "campaign", "run", "voice.yaml", "--output", "out"]
    environ = {**os.environ, "DEMO_URL": demo.url}
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, text=True, capture_output=True, timeout=60, check=False
    )
    (path,) = tmp_path.glob("out/*/report.json")
    report = path.read_text()
    assert json.loads(report)["production_readiness"]["exit_code"] == done.returncode
    assert done.returncode in {0, 3}, done.stdout  # so short a run may leave something undecided
    for name in ("first_byte", "first_event", "event_gap", "connect", "round_trip"):
        assert name in report
