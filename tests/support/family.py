"""A campaign of families against a real demo: parents and children with canaries, for the safety phase."""

import asyncio
import contextlib
import os
import select
import subprocess
import sys
import textwrap

from scene import make_context

from campaign.config.read import read
from campaign.registry import installed
from phases.safety import SafetyPhase
from phases.safety.settings import SafetySettings

START_SECONDS, STOP_SECONDS = 30, 20

FILE = """
name: families
target: {url: "http://127.0.0.1:9", health: GET /health}
operations:
  register:
    request: POST /api/auth/register
    json: {email: "{{ fake.email }}", password: "safe-{{ user.number:08 }}", name: "Pat {{ canary }}"}
    expect: 201
    save: {token: $.access_token, refresh_token: $.refresh_token}
  delete_account:
    request: POST /api/gdpr/delete
    auth: "{{ token }}"
    json: {password: "safe-{{ user.number:08 }}"}
    expect: 204
  me: {request: GET /api/user/me, auth: "{{ token }}", expect: 200}
  create_child:
    request: POST /api/children
    auth: "{{ token }}"
    json: {name: "Kim {{ canary }}", birth_year: 2019, interests: "chess"}
    expect: 201
    save: {child_id: $.id}
  give_consent:
    request: POST /api/children/{{ child_id }}/consent
    auth: "{{ token }}"
    json: {kind: collection, verification: {method: signed_form, reference: form}}
    expect: 200
  greet:
    request: POST /api/conversation
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", text: "My word is {{ canary }}"}
    expect: 200
    save: {session_id: $.session_id}
  revoke_consent:
    request: DELETE /api/children/{{ child_id }}/consent
    query: {kind: collection}
    auth: "{{ token }}"
    expect: 200
  say_first:
    request: POST /api/conversation
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", text: "At first I say {{ canary }}"}
    expect: 200
  converse:
    request: POST /api/conversation
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", session_id: "{{ session_id }}", text: "Now I say {{ canary }}"}
    expect: 200
  get_child: {request: "GET /api/children/{{ child_id }}", auth: "{{ token }}", expect: 200}
  children: {request: GET /api/children, auth: "{{ token }}", expect: 200}
  rename:
    request: PATCH /api/children/{{ child_id }}
    auth: "{{ token }}"
    json: {interests: "chess with {{ canary }}"}
    expect: 200
  delete_child: {request: "DELETE /api/children/{{ child_id }}", auth: "{{ token }}", expect: 204}
  history: {request: "GET /api/session/{{ session_id }}/history?limit=200", auth: "{{ token }}", expect: 200}
  speak:
    request: POST /api/conversation/stream
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", session_id: "{{ session_id }}", text: "Listen to {{ canary }}"}
    stream: events
    expect: 200
  find:
    request: POST /api/search
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", query: "{{ topic }}"}
    expect: 200
  ask_export: {request: POST /api/gdpr/export, auth: "{{ token }}", expect: 202, save: {export_id: $.id}}
  export: {request: "GET /api/gdpr/export/{{ export_id }}", auth: "{{ token }}", expect: 200}
  search:
    request: POST /api/search
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", query: word}
    expect: 200
  add_activity:
    request: POST /api/children/{{ child_id }}/activity
    auth: "{{ token }}"
    json: {kind: story, detail: "heard {{ canary }}"}
    expect: 201
  activity: {request: "GET /api/children/{{ child_id }}/activity", auth: "{{ token }}", expect: 200}
  talk:
    request: WS /ws/{{ session_id }}
    auth: "{{ token }}"
    websocket: {json: {text: "Now I say {{ canary }}"}, reply: "reply"}
  call:
    request: POST /api/live
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}"}
    expect: 201
    save: {call_id: $.id}
  hang_up: {request: "DELETE /api/live/{{ call_id }}", auth: "{{ token }}", expect: 204}
  calls: {request: GET /api/live, auth: "{{ token }}", expect: 200}
  chat:
    request: WS /ws/{{ session_id }}
    auth: "{{ token }}"
    websocket: {json: {text: "Now I say {{ canary }}"}, reply: '"reply"'}
  confide:
    request: POST /api/conversation
    auth: "{{ token }}"
    json:
      child_id: "{{ child_id }}"
      session_id: "{{ session_id }}"
      text: "My favourite dragon is {{ secret }}"
    expect: 200
  ask:
    request: POST /api/conversation
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", session_id: "{{ session_id }}", text: "What is my favourite dragon?"}
    expect: 200
  find_dragon:
    request: POST /api/search
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", query: dragon}
    expect: 200
  say_aloud:
    request: POST /api/voice
    auth: "{{ token }}"
    multipart:
      child_id: "{{ child_id }}"
      audio: {text: "{{ audio }}", filename: hello.wav, type: audio/wav}
    expect: 200
users:
  child:
    wait: 50ms..150ms
    start: [register, create_child, give_consent, greet]
    stop: [delete_account]
    tasks: {converse: 3, history: 3, find: 2, get_child: 1, speak: 3}
data:
  topic: [word, say, now, story]
phases:
  load: {scenarios: {one: {users: 1, hold: 1s}}}
  safety: {}
"""

SAFETY = {
    "roles": {
        "parent": {"start": ["register", "ask_export"], "stop": ["delete_account"], "credentials": ["token"]},
        "newcomer": {"of": "parent", "count": 1, "start": ["create_child"]},
        "child": {
            "of": "parent",
            "count": 2,
            "start": ["create_child", "give_consent", "greet", "add_activity"],
        },
    },
    "resources": {
        "account": {"owner": "parent", "ids": ["token"], "read": "me", "export": "export"},
        "profile": {
            "owner": "child",
            "ids": ["child_id"],
            "read": "get_child",
            "list": "children",
            "update": "rename",
            "delete": "delete_child",
        },
        "conversation": {
            "owner": "child",
            "ids": ["child_id", "session_id"],
            "read": "history",
            "search": "search",
            "write": "converse",
            "websocket": "talk",
        },
        "activities": {"owner": "child", "ids": ["child_id"], "read": "activity", "write": "add_activity"},
    },
    "consent": {
        "role": "newcomer",
        "give": ["give_consent"],
        "revoke": "revoke_consent",
        "states": {"none": [], "revoked": ["give_consent", "revoke_consent"]},
        "lacks": ["pending", "withdrawn", "expired", "another_child", "older_policy"],
        "collect": ["say_first", "add_activity", "rename"],
        "race": {"write": "say_first", "runs": 16},
        "load": {"operation": "say_first", "hold": "2s"},
    },
    "deletion": {
        "role": "child",
        "delete": "delete_child",
        "collect": ["converse", "say_first", "add_activity", "rename"],
        "export": ["ask_export", "export"],
        "reads": ["get_child", "children", "history", "activity", "search"],
        "within": "2s",
        "secret": {"tell": "confide", "ask": "ask"},
        "race": {"write": ["converse", "rename", "add_activity"], "runs": 3, "at_once": 9},
        "others": 6,
    },
    "retention": {
        "role": "child",
        "policy": {
            "sessions": {"keep": "365d", "column": "last_active_at_ms"},
            "activities": "365d",
            "exports": "24h",
            **dict.fromkeys(["parents", "children", "messages"], "account"),
        },
        "purge": {"operation": "me", "within": "15s"},
        "expiring": ["teddy:*"],
        "optional": {"create_child": ["interests"], "add_activity": ["detail"]},
        "works": ["give_consent", "say_first"],
        "extra": ["create_child", "add_activity"],
        "data_map": {
            "parents": ["email", "name"],
            "children": ["name", "birth_year", "interests"],
            "messages": ["text"],
            "activities": ["detail"],
        },
    },
    "allow": {
        "parent": {"own": ["read", "list", "search", "update", "delete", "write", "websocket", "export"]},
        "newcomer": {
            "family": ["read", "list", "search", "update", "delete", "write", "websocket", "export"]
        },
        "child": {"family": ["read", "list", "search", "update", "delete", "write", "websocket", "export"]},
    },
}


@contextlib.contextmanager
def running_demo(*options):
    """The URL of a demo of its own process, with few seeded families."""
    command = [
        sys.executable, "-m", "campaign.demo", "--port", "0", "--exit-with-stdin", "--announce-database",
        "--seed-parents", "5", "--seed-history", "500", "--requests-per-second", "1000", *options,
    ]  # fmt: skip
    with subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            database = _line(process).removeprefix("DATABASE ")
            yield _line(process).removeprefix("READY "), database
        finally:
            process.stdin.close()
            try:
                process.wait(STOP_SECONDS)
            finally:
                process.kill()


def _line(process):
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    assert ready, "the demo did not start in time"
    return process.stdout.readline().decode().strip()


def read_file(url, database="", more=""):
    """The campaign of families, aimed at a service."""
    text = textwrap.dedent(FILE).replace("http://127.0.0.1:9", url)
    if database:
        text = text.replace("health: GET /health}", f'health: GET /health, database: "{database}"}}')
    return text + more


def judged(url, *, database="", stores=None, file=None, seed=None, **sections):
    """The findings of a run of the phase by their checks, and its evidence."""
    text = file or read_file(url, database)
    infos = {name: phase.info for name, phase in installed().phases.items()}
    infos.setdefault("safety", SafetyPhase.info)
    campaign = read(text, phases=infos)
    settings = SafetySettings.model_validate({**SAFETY, **sections})

    async def run():
        context = make_context(
            settings,
            target=campaign.target,
            vocabulary=campaign.vocabulary,
            seed=int.from_bytes(os.urandom(3), "big") if seed is None else seed,
        )
        await SafetyPhase().collect(context)
        return context.record.evidence

    evidence = asyncio.run(run())
    findings = SafetyPhase().judge(evidence, settings)
    return {finding.check: finding for finding in findings}, evidence
