"""What only one user's data holds is looked for in every answer of the others, whatever it is wrapped in."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace

import pytest

from campaign.canary import Mint
from campaign.load.sightings import carries_canaries, seen
from campaign.target.spec import BodySpec
from phases.load.canaries import judge_canaries

SEED = 7
FIRST = Mint(SEED).canary("1").encode()


def answering(wrap, headers=b""):
    """A server that shows the first user's canary to everybody, in some wrapping."""

    async def talk(talker):
        while await talker.request():
            body = wrap(b'{"reply": "hello %b and more"}' % FIRST)
            talker.say(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (headers, len(body), body))

    return talk


async def echo(talker):
    """A server that tells everybody no more than they said."""
    while request := await talker.request():
        body = request.partition(b"\r\n\r\n")[2]
        talker.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.fixture
def plan(make_plan, operation):
    def of(url, **more):
        say = operation("say", "/", method="POST", body=BodySpec(raw="{{ canary }}"))
        made = make_plan(url, say, users=2, rounds=10)
        return replace(made, seed=SEED, canaries=True, **more)

    return of


@pytest.mark.parametrize(
    ("wrap", "headers"),
    [
        (bytes, b""),
        (base64.b64encode, b""),
        (lambda body: base64.b64encode(b"x" + body), b""),
        (gzip.compress, b"Content-Encoding: gzip\r\n"),
        (lambda body: b"nothing in here", b"X-Was: %b\r\n" % FIRST),
    ],
    ids=["plain", "base64", "base64 one byte on", "gzip", "in a header"],
)
def test_another_users_canary_is_seen(serve, plan, run_here, wrap, headers):
    found = seen(run_here(plan(serve(answering(wrap, headers)).url)), SEED)
    assert found["seen"] > 0
    assert found["sightings"][0]["owner"] == 1
    assert found["sightings"][0]["user"] != 1
    (finding,) = judge_canaries({"name": "peak", "canaries": found})
    assert (finding.check, finding.outcome, finding.severity) == ("peak.all.isolation", "failed", "blocker")
    assert "what is user 1's" in finding.message


def test_users_may_see_their_own(serve, plan, run_here):
    found = seen(run_here(plan(serve(echo).url)), SEED)
    assert (found["seen"], found["sightings"]) == (0, [])
    assert found["answers"] > 0
    (finding,) = judge_canaries({"name": "peak", "canaries": found})
    assert finding.outcome == "passed"
    assert f"none of {found['answers']:,} answers" in finding.message


def test_some_hang_up_in_the_middle_and_are_no_failures(serve, plan, run_here):
    outcome = run_here(plan(serve(echo).url, leave=0.5))
    assert outcome.counts["canaries.left"] > 0
    assert {group.kind for group in outcome.errors} <= {"cut"}


def test_nothing_is_searched_where_nobody_carries_one(make_plan, operation, serve, run_here):
    made = make_plan(serve(echo).url, operation("say", "/"))
    assert not carries_canaries(made.vocabulary)
    assert seen(run_here(made), SEED) == {}


def test_operations_that_send_one_are_known(make_plan, operation):
    assert carries_canaries(make_plan("http://127.0.0.1:9", operation("say", "/{{ canary }}")).vocabulary)
