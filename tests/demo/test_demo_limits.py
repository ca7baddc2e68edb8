"""Rate limits are exact, per principal, and say when to come back."""

import asyncio

import pytest

from campaign.demo.limits import RateLimit
from campaign.demo.problems import TooManyRequestsError
from campaign.demo.shared_state import InProcess


@pytest.fixture(scope="module")
def demo(start):
    options = (
        "--seed-parents=3",
        "--seed-history=0",
        "--requests-per-second=5",
        "--failed-logins-per-minute=3",
    )
    with start(*options) as demo:
        yield demo


class At:
    """A wall clock that stands still where the test puts it."""

    def __init__(self, seconds):
        self.seconds = seconds

    def time(self):
        return self.seconds

    def monotonic(self):
        return self.seconds


def taken(limit, key, times):
    async def all_of_them():
        admitted = 0
        for _ in range(times):
            try:
                await limit.take(key)
            except TooManyRequestsError:
                continue
            admitted += 1
        return admitted

    return asyncio.run(all_of_them())


@pytest.fixture
def clock(monkeypatch):
    clock = At(1_000_000.25)
    monkeypatch.setattr("campaign.demo.shared_state.time", clock)
    monkeypatch.setattr("campaign.demo.limits.time", clock)
    return clock


def test_exactly_the_limit_is_admitted_in_each_window_and_for_each_key(clock):
    limit = RateLimit(InProcess(), name="test", limit=7, window_s=10)
    assert [taken(limit, key, 20) for key in ("a", "b", "a")] == [7, 7, 0]
    clock.seconds += 10
    assert taken(limit, "a", 20) == 7


def test_what_is_given_back_can_be_taken_again(clock):
    limit = RateLimit(InProcess(), name="test", limit=2, window_s=10)
    assert taken(limit, "a", 2) == 2
    asyncio.run(limit.give_back("a"))
    assert taken(limit, "a", 2) == 1


def test_the_refusal_names_the_seconds_to_the_next_window(clock):
    clock.seconds = 1_000_007.9
    limit = RateLimit(InProcess(), name="test", limit=0, window_s=10)
    with pytest.raises(TooManyRequestsError) as refusal:
        asyncio.run(limit.take("a"))
    assert refusal.value.retry_after_s == 3


def test_a_flood_is_answered_with_429_while_another_parent_is_served(demo):
    with demo.login(1) as flooding, demo.login(2) as other:
        answers = [flooding.get("/api/user/me") for _ in range(60)]
        assert other.get("/api/user/me").status_code == 200
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.status_code for answer in answers} == {200, 429}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert refused[0].json()["error"]["code"] == "too_many_requests"


def test_guessing_passwords_is_stopped_for_the_address_guessed(demo):
    def attempt(email, password):
        with demo.client() as client:
            return client.post(
                "/api/auth/login/json", json={"email": email, "password": password}
            ).status_code

    guesses = [attempt("parent0003@example.com", f"guess {n}") for n in range(8)]
    assert guesses.count(401) in {3, 6}, guesses  # 6 if a new minute began between two of them
    assert guesses[-1] == 429
    assert attempt("parent0002@example.com", "demo-password") == 200


def test_correct_sign_ins_do_not_use_up_the_limit(demo):
    for _ in range(6):
        demo.login(1).close()


def test_live_conversations_have_a_limit_for_a_parent_and_one_for_all(start):
    with start(
        "--seed-parents=3", "--seed-history=0", "--live-per-parent=2", "--live-conversations=3"
    ) as demo:
        first, second, third = (demo.login(number) for number in (1, 2, 3))
        children = {
            each: each.get("/api/children").json()["children"][0]["id"] for each in (first, second, third)
        }

        def begin(who):
            return who.post("/api/live", json={"child_id": children[who]})

        begun = [begin(first), begin(first), begin(first), begin(second), begin(third)]
        assert [each.status_code for each in begun] == [201, 201, 429, 201, 429]
        assert begun[2].json()["error"]["message"] == "you have too many live conversations now"
        assert begun[4].json()["error"]["message"] == "there are too many live conversations now"
        assert [int(each.headers["retry-after"]) > 0 for each in (begun[2], begun[4])] == [True, True]
        assert first.get("/api/live").json() == {"live": 3, "mine": 2}
        call = begun[0].json()["id"]
        assert second.delete(f"/api/live/{call}").status_code == 404
        assert first.delete(f"/api/live/{call}").status_code == 204
        assert begin(third).status_code == 201
