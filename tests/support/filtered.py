"""A run of the content part alone, against a real demo or a filter of a test's own."""

import asyncio

from scene import make_context

from campaign.config.read import read
from campaign.registry import installed
from phases.safety import SafetyPhase
from phases.safety.settings import PartName, SafetySettings

FILE = """
name: filter
target: {url: "http://127.0.0.1:9"}
operations:
  login:
    request: POST /api/auth/login/json
    json: {email: "parent{{ user.number:04 }}@example.com", password: demo-password}
    expect: 200
    save: {token: $.access_token}
  children:
    request: GET /api/children
    auth: "{{ token }}"
    expect: 200
    save: {child_id: "$.children[0].id"}
  me: {request: GET /api/user/me, auth: "{{ token }}", expect: 200}
  say:
    request: POST /api/conversation
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", text: "{{ text }}"}
    expect: 200
    save: {session_id: $.session_id}
  say_on:
    request: POST /api/conversation
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", session_id: "{{ session_id }}", text: "{{ text }}"}
    expect: 200
  check: {request: POST /check, json: {text: "{{ text }}", item: "{{ item }}"}, expect: 200}
  was_delivered: {request: "GET /delivered/{{ item }}", expect: 200}
users:
  parent: {wait: 100ms..200ms, start: [login, children], tasks: {me: 1}}
phases:
  safety: {}
"""

DEMO = {
    "check": "say",
    "follow": "say_on",
    "blocked": {"json": "$.filtered", "equals": True},
    "start": ["login", "children"],
}


def content_settings(**content):
    """The phase's settings with nothing but this part."""
    others = [name for name in PartName.__args__ if name != "content"]
    return SafetySettings.model_validate({"skip": others, "content": content})


def judge_content(evidence, settings):
    """The findings by their checks."""
    return {each.check: each for each in SafetyPhase().judge(evidence, settings)}


def run_content(url, workdir, *, seed=7, stop_when=None, settings=None, **content):
    """The findings of a run by their checks, and its evidence."""
    settings = settings or content_settings(**content)
    infos = {name: phase.info for name, phase in installed().phases.items()}
    infos.setdefault("safety", SafetyPhase.info)
    campaign = read(FILE.replace("http://127.0.0.1:9", url), phases=infos)

    async def run():
        context = make_context(
            settings, target=campaign.target, vocabulary=campaign.vocabulary, workdir=workdir, seed=seed
        )
        if stop_when is not None:
            asyncio.get_running_loop().create_task(stop_when(context))
        await SafetyPhase().collect(context)
        return context.record.evidence

    evidence = asyncio.run(run())
    return judge_content(evidence, settings), evidence
