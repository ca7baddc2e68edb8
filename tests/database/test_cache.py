"""The cache part on a real Redis: our commands are answered and judged, the target's keys looked at."""

import asyncio

import pytest
from scene import make_context, settings_of
from servers import Redis

from campaign.cache.survey import pattern_of
from campaign.records import Evidence, Measurement, Outcome
from campaign.target.spec import TargetSpec
from phases.benchmark.commands import time_commands
from phases.benchmark.settings import BenchmarkSettings
from phases.database.cache.judge import judge_cache
from phases.database.collect import run_parts
from phases.database.outset import look_at_stores

pytestmark = pytest.mark.redis

SKIPPED = [
    "workload", "queries", "catalogue", "pool", "isolation", "invariants", "durability", "recovery", "service"
]  # fmt: skip
BRIEF = {"rate": "200/s", "hold": "2s", "warm_up": "1s", "connections": 4}


@pytest.fixture
def redis(redis_server):
    redis_server.say("FLUSHALL")
    redis_server.say("CONFIG", "RESETSTAT")
    yield redis_server
    redis_server.say("FLUSHALL")


def see(url, *, before=None, **cache):
    """What was recorded of the part."""

    async def run():
        context = make_context(settings_of(skip=SKIPPED, cache={**BRIEF, **cache}), stores={"redis": url})
        await run_parts(context, before=before)
        return context.record.evidence

    return asyncio.run(run())


def judged(evidence, **cache):
    settings = settings_of(cache={**BRIEF, **cache}).cache
    return {each.check: each for each in judge_cache(evidence, settings)}


def test_every_command_is_sent_and_answered_rightly(redis):
    evidence = see(redis.url)
    rows = {each["name"]: each for each in evidence.facts["cache"]["commands"]["patterns"]}
    assert set(rows) == {
        "all", "set", "get", "mget", "hash", "list", "stream", "pipeline", "expiry", "lua", "pubsub"
    }  # fmt: skip
    assert {name: each["failed"] for name, each in rows.items()} == dict.fromkeys(rows, 0)
    assert evidence.find("cache.load_reached").value > 0.95
    assert {each.outcome for each in judged(evidence).values()}.isdisjoint({Outcome.FAILED})
    assert redis.say("DBSIZE") == "0"


def test_commands_come_back_to_back_from_users_without_a_rate(redis):
    evidence = see(redis.url, users=2, mix={"get": 1})
    (get, _) = evidence.facts["cache"]["commands"]["patterns"]
    assert get["name"] == "get"
    assert get["count"] > 500


def test_keys_that_never_expire_are_named_by_their_pattern(redis):
    for number in range(12):
        redis.say("SET", f"profile:{number:04}", "x")
        redis.say("SET", f"session:{number:04}", "x", "EX", "60")
    evidence = see(redis.url)
    found = judged(evidence)["cache.expiry.profile:*"]
    assert found.outcome is Outcome.FAILED
    assert found.message == "12 of 12 keys profile:* never expire"
    assert "cache.expiry.session:*" not in judged(evidence)
    meant = judged(evidence, forever=["profile:*"])
    assert meant["cache.expiry"].outcome is Outcome.PASSED


def test_names_in_keys_do_not_reach_the_report(redis):
    for name in ("emma", "noah", "mia"):
        redis.say("SET", f"child:{name}", "x")
    patterns = [each["pattern"] for each in see(redis.url).facts["cache"]["survey"]["patterns"]]
    assert patterns == ["child:*"]


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        ("session:9f3a61c2", "session:*"),
        ("teddy:token:3fa85f64-5717-4562-b3fc-2c963f66afa6:state", "teddy:token:*:state"),
        ("rate:parent0007@example.com", "rate:*"),
        ("config", "config"),
    ],
)
def test_what_differs_from_key_to_key_is_left_out(key, pattern):
    assert pattern_of(key) == pattern


def test_the_hit_ratio_is_that_of_the_target_alone(redis):
    redis.say("SET", "known", "x", "EX", "60")
    for key in ("known", "known", "known", "unknown"):
        redis.say("GET", key)
    evidence = see(redis.url, limits={"hit_ratio": "> 80%"})
    assert evidence.facts["cache"]["lookups"]["hit_ratio"] == 0.75
    assert judged(evidence, limits={"hit_ratio": "> 80%"})["cache.hit_ratio"].outcome is Outcome.FAILED


def test_our_own_commands_in_another_phase_are_none_of_the_targets_lookups(redis):
    """A benchmark before it, whose 30 GETs all find their key."""

    async def run():
        target = TargetSpec("http://127.0.0.1:9", stores={"redis": redis.url})
        before = await look_at_stores(target)
        await asyncio.to_thread(redis.say, "GET", "unknown")
        settings = BenchmarkSettings(warm_up=0, iterations=30)
        await time_commands(redis.url, ["get", "mget"], settings, over=lambda: False)
        context = make_context(settings_of(skip=SKIPPED, cache=BRIEF), stores={"redis": redis.url})
        await run_parts(context, before=before)
        return context.record.evidence

    evidence = asyncio.run(run())
    lookups = evidence.facts["cache"]["lookups"]
    assert (lookups["hits"], lookups["misses"]) == (0, 1)
    said = "0 of 1 of the target's lookups found a key since the campaign began (while none of our own"
    assert judged(evidence)["cache.hit_ratio"].message.startswith(said)


def made_up(delay="", **figures):
    """Evidence of commands that took 4 ms on average, with everything in order but what is given."""
    generator = {"saturation": delay, "delay": delay}
    sent = {"model": "open", "hold_seconds": 2.0, "asked_seconds": 2.0, "load_reached": 1.0, "patterns": []}
    values = {"get.mean": (0.004, "s"), "all.mean": (0.004, "s"), "all.error_rate": (0.0, "share")}
    values |= {"load_reached": (1.0, "share")}
    measured = tuple(
        Measurement.exact(f"cache.{name}", figures.get(name.replace(".", "__"), value), unit=unit, count=9999)
        for name, (value, unit) in values.items()
    )
    return Evidence(measured, (), {"cache": {"commands": {**sent, "generator": generator, **figures}}})


def test_what_our_own_lateness_may_have_done_is_undecided():
    late = "schedule lag p99 80 ms (at most 50 ms)"
    limits = {"mix": {"get": 1}, "limits": {"mean": "1ms"}}
    assert judged(made_up(), **limits)["cache.get.mean"].outcome is Outcome.FAILED
    found = judged(made_up(late), **limits)["cache.get.mean"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.message.endswith(f"but our own load generator was saturated: {late}")
    assert (
        judged(made_up(late, load_reached=0.5), **limits)["cache.load_reached"].outcome
        is Outcome.INCONCLUSIVE
    )
    assert judged(made_up(load_reached=0.5), **limits)["cache.load_reached"].outcome is Outcome.FAILED


def test_good_times_of_half_the_load_prove_nothing():
    good = {"mix": {"get": 1}, "limits": {"mean": "9ms"}}
    assert judged(made_up(), **good)["cache.get.mean"].outcome is Outcome.PASSED
    assert judged(made_up(load_reached=0.5), **good)["cache.get.mean"].outcome is Outcome.INCONCLUSIVE


def test_a_slow_redis_fails_the_limits(redis):
    evidence = see(redis.url, limits={"mean": "1us"})
    assert judged(evidence, limits={"mean": "1us"})["cache.get.mean"].outcome is Outcome.FAILED


def test_a_full_redis_is_found_by_its_refusals():
    server = Redis(maxmemory="2mb", maxmemory_policy="noeviction")
    server.say("EVAL", "for i=1,20000 do redis.pcall('SET', 'k'..i, 'xxxxxxxxxxxxxxxx') end", "0")
    try:
        found = judged(see(server.url))
    finally:
        server.end()
    assert found["cache.writes"].outcome is Outcome.FAILED
    assert found["cache.memory"].outcome is Outcome.FAILED


def test_a_redis_that_is_not_there_leaves_every_check_undecided():
    evidence = see("redis://127.0.0.1:1/0")
    assert "cache" in evidence.facts["trouble"]
    outcomes = {each.outcome for each in judged(evidence).values()}
    assert outcomes == {Outcome.INCONCLUSIVE}


def test_what_was_never_reached_is_undecided():
    assert {each.outcome for each in judged(Evidence()).values()} == {Outcome.INCONCLUSIVE}
