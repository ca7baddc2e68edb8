"""Each defect does what its row says, and without it the service is well."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

USERS = 20


class User:
    """A seeded parent who goes through a conversation, over and over."""

    def __init__(self, demo, number):
        self.http = demo.login(number)
        (child,) = self.http.get("/api/children").json()["children"]
        self.said = {"child_id": child["id"], "session_id": child["session_id"], "text": "Tell me a story"}
        self.history = f"/api/session/{child['session_id']}/history"

    def converse(self):
        return self.http.post("/api/conversation", json=self.said)

    def read(self):
        return self.http.get(self.history)


def together(demo, action, *, times):
    """The answers of twenty users who each do something a few times, all at once."""
    users = [User(demo, number) for number in range(1, USERS + 1)]
    with ThreadPoolExecutor(USERS) as pool:
        rounds = pool.map(lambda user: [answer for _ in range(times) for answer in action(user)], users)
        answers = [answer for own in rounds for answer in own]
    for user in users:
        user.http.close()
    return answers


def history_p95_s(demo):
    answers = together(demo, lambda user: (user.converse(), user.read()), times=5)
    times = [answer.elapsed.total_seconds() for answer in answers if answer.request.method == "GET"]
    return float(np.percentile(times, 95))


@pytest.mark.parametrize(("options", "slow"), [((), False), (("--defect=slow-history",), True)])
@pytest.mark.slow
def test_slow_history(start, options, slow):
    with start(*options) as demo:
        assert (history_p95_s(demo) > 0.5) == slow


def test_errors_under_load_spares_a_single_user_and_fails_many_of_twenty(start):
    with start("--seed-parents=20", "--seed-history=200", "--defect=errors-under-load") as demo:
        alone = User(demo, 1)
        assert {alone.converse().status_code for _ in range(10)} == {200}
        statuses = [answer.status_code for answer in together(demo, lambda user: [user.converse()], times=5)]
    assert set(statuses) == {200, 503}
    assert statuses.count(503) > 0.05 * len(statuses)


def test_without_a_defect_nothing_fails_at_twenty_users(start):
    with start("--seed-parents=20", "--seed-history=200") as demo:
        answers = together(demo, lambda user: (user.converse(), user.read()), times=10)
    assert {answer.status_code for answer in answers} == {200}


def grown_mb(demo):
    """How much the process grew over 1,000 turns, after as many as it takes to settle."""
    users = [User(demo, number) for number in range(1, USERS + 1)]
    sizes = []
    for turns in (30, 50):
        for user in users:
            assert {user.converse().status_code for _ in range(turns)} == {200}
        found = re.search(
            r"^process_resident_memory_bytes (\S+)", users[0].http.get("/metrics").text, re.MULTILINE
        )
        sizes.append(float(found.group(1)) / 1e6)
    for user in users:
        user.http.close()
    return sizes[1] - sizes[0]


@pytest.mark.parametrize(("options", "leaks"), [((), False), (("--defect=memory-leak",), True)])
def test_memory_leak(start, options, leaks):
    with start("--seed-parents=20", "--seed-history=2000", *options) as demo:
        grown = grown_mb(demo)
    assert (grown > 4) == leaks, f"{grown:.1f} MB"


def slowest_answer_s(demo, *, seconds):
    """The longest that anybody waited within so many seconds of constant use."""
    slowest, until = 0.0, time.monotonic() + seconds
    with demo.client() as client:
        while time.monotonic() < until:
            slowest = max(slowest, client.get("/health").elapsed.total_seconds())
    return slowest


@pytest.mark.parametrize(("options", "stalls"), [((), False), (("--defect=stall",), True)])
@pytest.mark.slow
def test_stall(start, options, stalls):
    with start("--seed-parents=20", "--seed-history=2000", *options) as demo:
        slowest = slowest_answer_s(demo, seconds=10)
    assert (slowest > 2) == stalls, f"{slowest:.1f} s"
