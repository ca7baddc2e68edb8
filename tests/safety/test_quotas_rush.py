"""Limits hold exactly under a rush: on the demo, over HTTP and WebSockets, and on Python objects."""

import asyncio
import textwrap

import pytest
from family import judged, read_file, running_demo

from campaign.records import Evidence, Outcome
from phases.safety.quotas.judge import findings
from phases.safety.quotas.settings import QuotasSettings, Refusal
from phases.safety.quotas.web import read_refusal

OTHERS = ["isolation", "consent", "crowd", "content", "sessions", "transport", "deletion", "retention"]
CALLER = {
    "caller": {
        "start": ["register", "create_child", "give_consent", "greet"],
        "stop": ["delete_account"],
        "credentials": ["token"],
        "families": 1,
    }
}
NO_ROOM = {"json": "$.error.code", "equals": "too_many_conversations"}
CALLS = {
    "start": "call",
    "stop": "hang_up",
    "limit": 12,
    "per_user": 3,
    "counter": {"operation": "calls", "json": "$.live"},
    "refused": NO_ROOM,
    "rounds": 3,
    "cycles": 100,
}
CHATS = {"websocket": "chat", **{name: CALLS[name] for name in ("limit", "per_user", "counter", "refused")}}
RATE = {"operation": "calls", "limit": "60/s", "hold": "2s"}
FAIRNESS = {"flood": "calls", "operation": "me", "rate": "120/s", "hold": "4s", "p95": "1s"}
ROOMS = ("--live-conversations", "12", "--live-per-parent", "3")


def on_demo(*options, **quotas):
    """The findings of the part on a demo of its own."""
    with running_demo(*ROOMS, *options) as (url, database):
        found, evidence = judged(
            url,
            file=read_file(url, database),
            roles=CALLER,
            resources={},
            allow={},
            consent={},
            skip=OTHERS,
            quotas=quotas,
        )
    assert evidence.facts["cast"]["left"] == {}
    return {check: each for check, each in found.items() if check.startswith("quotas.")}


def outcomes(found):
    """What did not pass."""
    return {check: each.outcome.value for check, each in found.items() if each.outcome is not Outcome.PASSED}


def told(found):
    return {check: (each.outcome.value, each.message) for check, each in found.items()}


SLOTS = {"calls": CALLS, "chats": {**CHATS, "rounds": 2, "cycles": 30}}
SLOW = ("--requests-per-second", "60")
UNMAPPED = {"quotas.rate": "inconclusive", "quotas.fairness": "inconclusive"}


def test_a_sound_service_holds_its_limits_exactly():
    found = on_demo(slots=SLOTS)
    assert outcomes(found) == UNMAPPED, told(found)
    assert len(found) == 2 * 6 + 2
    assert "12 of 25 let in each time" in found["quotas.calls.global"].message
    assert "3 of 11 let in each time" in found["quotas.calls.per_user"].message


@pytest.mark.defects
def test_a_sound_service_limits_one_principal_and_serves_another():
    found = on_demo(*SLOW, rate=RATE, fairness=FAIRNESS)
    assert outcomes(found) == {"quotas.slots": "inconclusive"}, told(found)


@pytest.mark.defects
def test_a_limit_on_requests_in_the_way_of_slots_accuses_nobody():
    found = on_demo(*SLOW, slots={"calls": CALLS})
    assert "failed" not in outcomes(found).values(), told(found)


@pytest.mark.defects
@pytest.mark.parametrize(
    ("defect", "wanted"),
    [
        ("global-limit-off-by-one", {"quotas.calls.global", "quotas.chats.global"}),
        ("per-user-limit-race", {"quotas.calls.per_user"}),
    ],
)
def test_a_defect_fails_its_checks_alone(defect, wanted):
    small = {"bursts": {"count": 5, "size": 10}}
    slots = {name: {**slot, **small} for name, slot in SLOTS.items()}
    found = on_demo("--defect", defect, slots=slots)
    assert outcomes(found) == {**dict.fromkeys(wanted, "failed"), **UNMAPPED}, told(found)


@pytest.mark.defects
def test_a_service_that_limits_nothing_fails_that_check_alone():
    found = on_demo(*SLOW, "--defect", "no-rate-limit", rate=RATE, fairness=FAIRNESS)
    assert outcomes(found) == {"quotas.rate": "failed", "quotas.slots": "inconclusive"}, told(found)


MANAGERS = """
import asyncio, threading, time

class Full(Exception):
    pass

class Sound:
    def __init__(self):
        self.lock, self.users, self.most, self.each = threading.Lock(), [], 8, 2

    def start(self, user):
        with self.lock:
            if len(self.users) >= self.most or self.users.count(user) >= self.each:
                raise Full
            self.users.append(user)
        return user

    def stop(self, user):
        with self.lock:
            self.users.remove(user)

    @property
    def active(self):
        return len(self.users)

class Racy(Sound):
    def start(self, user):
        if len(self.users) >= self.most or self.users.count(user) >= self.each:
            raise Full
        time.sleep(0.001)
        self.users.append(user)
        return user

class Leaky(Sound):
    stops = 0
    def stop(self, user):
        self.stops += 1
        if self.stops % 7:
            super().stop(user)

class Crashing(Sound):
    def start(self, user):
        try:
            return super().start(user)
        except Full:
            raise RuntimeError("no more") from None

class Stingy(Sound):
    def start(self, user):
        if not self.lock.acquire(blocking=False):
            raise Full
        try:
            if len(self.users) >= self.most or self.users.count(user) >= self.each:
                raise Full
            time.sleep(0.001)
            self.users.append(user)
        finally:
            self.lock.release()
        return user

class Async:
    def __init__(self):
        self.users = []

    async def start(self, user):
        if len(self.users) >= 8 or self.users.count(user) >= 2:
            return None
        self.users.append(user)
        await asyncio.sleep(0)
        return user

    async def stop(self, user):
        self.users.remove(user)

    def active(self):
        return len(self.users)

class AsyncRacy(Async):
    async def start(self, user):
        if len(self.users) >= 8 or self.users.count(user) >= 2:
            return None
        await asyncio.sleep(0.001)
        self.users.append(user)
        return user
"""


BUSY = """
class Busy(Sound):
    def __init__(self):
        super().__init__()
        self.users = ["other"]
"""


def with_manager(folder, name, **more):
    """The findings on a Python object of this class, by their last word."""
    (folder / "managers_of_ours.py").write_text(textwrap.dedent(MANAGERS))
    slot = {
        "python": f"managers_of_ours:{name}", "refuses": ["Full"], "limit": 8, "per_user": 2,
        "counter": "active", "cycles": 300, "settle": "100ms", "rounds": 3, **more,
    }  # fmt: skip
    settings = QuotasSettings.model_validate({"slots": {"talks": slot}}, context={"folder": str(folder)})
    evidence = asyncio.run(collected(settings))
    found = list(findings(evidence, settings))
    return {each.check.split(".")[-1]: each for each in found if each.check.startswith("quotas.talks.")}


async def collected(settings):
    """What the part records with nothing but Python objects to try."""
    from types import SimpleNamespace  # noqa: PLC0415

    from scene import make_context  # noqa: PLC0415

    from phases.safety.quotas.collect import collect_quotas  # noqa: PLC0415
    from phases.safety.scene import Scene  # noqa: PLC0415

    context = make_context(settings)
    exchanges = SimpleNamespace(named=set())
    await collect_quotas(Scene(context, SimpleNamespace(quotas=settings), None, exchanges, None, ""))
    return context.record.evidence


@pytest.mark.parametrize("name", ["Sound", "Async"])
def test_a_sound_manager_is_never_accused(tmp_path, name):
    found = with_manager(tmp_path, name)
    assert {kind: each.outcome.value for kind, each in found.items()} == dict.fromkeys(
        ("per_user", "global", "refusals", "released", "bursts", "cycles"), "passed"
    ), told(found)


@pytest.mark.parametrize(
    ("name", "failed", "words"),
    [
        ("Racy", "per_user", "let in where 2 may be"),
        ("Racy", "global", "let in where 8 may be"),
        ("AsyncRacy", "global", "let in where 8 may be"),
        ("Leaky", "released", "the service still counts"),
        ("Crashing", "refusals", "start raised RuntimeError: no more"),
        ("Stingy", "global", "only"),
    ],
)
def test_a_broken_manager_is_told_by_what_it_does(tmp_path, name, failed, words):
    found = with_manager(tmp_path, name)
    assert found[failed].outcome is Outcome.FAILED, told(found)
    assert words in found[failed].message


def test_what_is_no_manager_is_not_tested_and_said_plainly(tmp_path):
    found = with_manager(tmp_path, "Full")
    assert {each.outcome for each in found.values()} == {Outcome.INCONCLUSIVE}
    assert "has no start and no stop" in found["global"].message


def test_slots_that_somebody_else_holds_accuse_nobody(tmp_path):
    (tmp_path / "busy_managers.py").write_text(MANAGERS + BUSY)
    found = with_manager(tmp_path, "Sound", python="busy_managers:Busy")
    assert {each.outcome for each in found.values()} == {Outcome.INCONCLUSIVE}
    assert "1 slots were taken before we began" in found["global"].message


BODY = b'{"error": {"code": "no_room"}}'
MARKED = {"json": "$.error.code", "equals": "no_room"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "refusal", "wanted"),
    [
        (429, {"retry-after": "2"}, b"", {}, ("refused", "")),
        (503, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, b"", {}, ("refused", "")),
        (429, {}, b"", {}, ("improper", "refused with 429 without a usable Retry-After")),
        (429, {"retry-after": "x"}, b"", {}, ("improper", "refused with 429 without a usable Retry-After")),
        (429, {}, b"", {"retry_after": False}, ("refused", "")),
        (500, {"retry-after": "2"}, b"", {}, ("improper", "refused with 500")),
        (429, {"retry-after": "2"}, BODY, MARKED, ("refused", "")),
        (429, {"retry-after": "2"}, b"busy", MARKED,
         ("elsewhere", "refused with 429 by another limit (no such place in the answer)")),
        (None, {}, b"", {}, ("lost", "no answer")),
    ],
)  # fmt: skip
def test_a_refusal_is_proper_when_it_says_what_and_until_when(status, headers, body, refusal, wanted):
    said, why = read_refusal(status, headers, body, refusal=Refusal.model_validate(refusal))
    assert (said.value, why) == wanted


@pytest.mark.parametrize("mapped", [{}, {"slots": {"calls": CALLS}, "rate": RATE, "fairness": FAIRNESS}])
def test_what_was_not_asked_is_not_tested(mapped):
    found = list(findings(Evidence(), QuotasSettings.model_validate(mapped)))
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE}
    assert all(each.message.startswith("not tested: ") for each in found)
