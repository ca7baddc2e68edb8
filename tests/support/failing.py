"""The failover phase in tests: its settings, a vocabulary for the demo, and a run as the runner does it."""

import asyncio
import contextlib

from scene import make_context

from campaign.target.journey import Do, TaskSpec, WaitSpec
from campaign.target.spec import BodySpec, ExpectSpec, OperationSpec, TargetSpec, UserSpec, Vocabulary
from phases.failover.collect import run_scenarios
from phases.failover.settings import FailoverSettings

AUTH = {"auth": "{{ token }}"}
SAID = {
    "child_id": "{{ child_id }}",
    "session_id": "{{ session_id }}",
    "text": "Tell me a story, {{ write }}",
}


def operations():
    """What the tests do at the demo."""
    login = {"email": "parent{{ user.number:04 }}@example.com", "password": "demo-password"}
    key = {"Idempotency-Key": "{{ write }}"}
    specs = (
        OperationSpec(
            "login", "POST", "/api/auth/login/json", body=BodySpec(has_json=True, json=login),
            save={"token": "$.access_token"},
        ),
        OperationSpec(
            "children", "GET", "/api/children", **AUTH,
            save={"child_id": "$.children[0].id", "session_id": "$.children[0].session_id"},
        ),
        OperationSpec("me", "GET", "/api/user/me", expect=ExpectSpec(status=(200,)), **AUTH),
        OperationSpec(
            "story", "POST", "/api/story", headers=key, body=BodySpec(has_json=True, json=SAID), **AUTH
        ),
        OperationSpec(
            "converse", "POST", "/api/conversation", headers=key,
            body=BodySpec(has_json=True, json=SAID), **AUTH,
        ),
        OperationSpec(
            "said", "GET", "/api/session/{{ session_id }}/history",
            query={"limit": "200", "offset": "{{ offset }}"}, **AUTH,
        ),
        OperationSpec(
            "find", "POST", "/api/search", **AUTH,
            body=BodySpec(has_json=True, json={"child_id": "{{ child_id }}", "query": "{{ write }}"}),
        ),
        OperationSpec("missing", "GET", "/api/children/nobody", **AUTH),
        OperationSpec(
            "first_page", "GET", "/api/session/{{ session_id }}/history", query={"limit": "5"}, **AUTH
        ),
    )  # fmt: skip
    return {each.name: each for each in specs}


def users():
    """Who works beside the probes: users from number 1 on, as the probes' are."""
    start = (Do("login"), Do("children"))
    return {"parent": UserSpec("parent", 1.0, WaitSpec(0.05, 0.1), start, {"me": TaskSpec.of("me")})}


PROBES = {
    "users": 2, "user": 1, "start": ["login", "children"], "read": ["me"], "session": "me", "timeout": "1s",
}  # fmt: skip
WRITES = {"operation": "converse", "rate": "10/s", "read": "said"}
QUICK = {"steady": "1s", "recovered_within": "10s"}


def settings_of(**sections):
    """The phase's settings from what a campaign file would say."""
    return FailoverSettings.model_validate({"probes": PROBES, "writes": WRITES, **QUICK, **sections})


def parts_of(demo):
    """The service of a supervised demo, as the campaign file names it."""
    return {"service": {"pid_file": str(demo.folder / "service.pid"), "supervised": True}}


def run_failover(
    settings, url, *, workdir, stores=None, containers=None, seconds=120, stop_after=None, **more
):
    """What was recorded; `stop_after` asks the phase to end once it has told that of its progress."""

    async def run():
        target = TargetSpec(
            url, health="GET /health", stores=stores or {}, containers=containers or {}, **more
        )
        context = make_context(
            settings, target=target, vocabulary=Vocabulary(operations=operations(), users=users()),
            workdir=workdir / "run" / "work" / "failover",
        )  # fmt: skip
        async with asyncio.timeout(seconds):
            watching = asyncio.create_task(_stop_once(context, stop_after)) if stop_after else None
            try:
                await run_scenarios(context)
            finally:
                if watching:
                    watching.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await watching
        return context.record

    return asyncio.run(run())


async def _stop_once(context, told):
    while not any(told in each.message for each in context.record.told):  # noqa: ASYNC110 - a list
        await asyncio.sleep(0.02)
    context.stop.request()
