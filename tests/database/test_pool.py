"""Pools of several sizes on real databases, under an open-loop load."""

import asyncio
import time

import pytest
from scene import make_context, open_scene, run_phase, settings_of
from servers import Postgres, wait_until
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from campaign.clock import RealClock
from campaign.database.address import read_address
from campaign.database.server import open_server, tag_of
from campaign.records import Outcome
from phases.database import PARTIALS
from phases.database.collect import run_parts
from phases.database.pool.bench import Shape, open_bench
from phases.database.pool.driver import Driver, Load, query_of
from phases.database.pool.killing import kill_idle
from phases.database.pool.part import PoolPart
from phases.database.pool.room import room_of
from phases.database.pool.steps import run_step

SHORT = Load(rate=250, seconds=0.8, query=0.01, timeout=0.25, seed=7)
OTHERS = [name for name in PARTIALS if name != "pool"]


@pytest.fixture(params=["postgres", "mariadb"])
def server_url(request):
    """Each of the two databases that have a server."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def server(server_url):
    opened = open_server(read_address(server_url), tag=tag_of("test"))
    yield opened
    opened.close()


async def until(condition):
    """Return as soon as the condition holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a record tells nobody
            await asyncio.sleep(0.02)


def step(url, shape, load=SHORT, **more):
    async def run():
        async with open_scene(url) as scene:
            return await run_step(scene, shape, load, **more)

    return asyncio.run(run())


def test_too_small_a_pool_times_out_and_one_beyond_little_s_number_does_not(server_url):
    small, large = step(server_url, Shape(1)), step(server_url, Shape(8))
    assert small["timeouts"] > 20
    assert (large["timeouts"], large["done"], large["leak"]) == (0, large["offered"], "")
    assert small["wait"]["count"] == small["offered"]
    assert small["wait"]["p99"] == pytest.approx(0.25, rel=0.1)  # what timed out counts as its whole wait
    assert large["wait"]["p99"] < 0.1
    assert small["occupancy"] > 0.9 > large["occupancy"]
    assert small["achieved"] < 0.7 < large["achieved"]


def test_as_many_connections_are_busy_as_little_s_law_says(server_url):
    row = step(server_url, Shape(8))
    assert row["busy"] == pytest.approx(250 * row["hold"], rel=0.25)
    assert sum(row["sessions"].values()) == pytest.approx(8, abs=0.5)  # the server's own list
    assert row["connects"] == 0


def test_overflow_connects_again_and_again_and_no_pool_for_every_query(server_url):
    overflow = step(server_url, Shape(1, 7))
    none = step(server_url, Shape(0), Load(40, 0.5, 0.01, 0.25), in_flight=10)
    assert (overflow["leak"], none["leak"]) == ("", "")
    assert 0 < overflow["connects"] < 1000 == none["connects"]


def test_a_connection_that_is_not_given_back_is_a_leak(server):
    async def run():
        async with open_bench(server, Shape(3), patience=0.2) as bench:
            kept = await bench.engine.connect()
            await Driver(bench, RealClock()).drive(Load(100, 0.2, 0.001, 0.2))
            leaked = await bench.leak()
            await kept.close()
            return leaked, await bench.leak(), await bench.close()

    assert asyncio.run(run()) == ("1 checked out and not given back", "", "")


def test_a_session_that_the_pool_has_lost_sight_of_is_a_leak(server, monkeypatch):
    monkeypatch.setattr("phases.database.pool.bench.SETTLE", 0.5)

    async def run():
        async with open_bench(server, Shape(2), patience=0.2) as bench:
            connection = await bench.engine.connect()
            (await connection.get_raw_connection()).detach()
            leaked, left = await bench.leak(), await bench.close()
            await connection.close()
            return leaked, left, await bench.close()

    expected = (
        "1 on the server that the pool does not know",
        "1 on the server after the pool was closed",
        "",
    )
    assert asyncio.run(run()) == expected


def test_a_warming_query_that_fails_leaves_no_session_of_ours(server):
    async def run():
        async with open_bench(server, Shape(8), patience=0.2) as bench:
            with pytest.raises(DBAPIError):
                await bench.warm(text("SELECT no_such_function()"))
            taken = bench.checked_out
        return taken, await bench.listed()

    assert asyncio.run(run()) == (0, [])


def test_a_warming_that_is_cancelled_gives_its_connections_back(server):
    async def run():
        async with open_bench(server, Shape(4), patience=0.2) as bench:
            warming = asyncio.create_task(bench.warm(query_of(server.kind, 1.5)))
            await until(lambda: bench.checked_out == 4)
            warming.cancel()
            await asyncio.wait({warming})
            taken = bench.checked_out
        async with asyncio.timeout(5):
            while await bench.listed():  # noqa: ASYNC110 - the server does not tell
                await asyncio.sleep(0.05)
        return warming.cancelled(), taken

    assert asyncio.run(run()) == (True, 0)


def test_killed_idle_connections_cost_errors_without_pre_ping_and_none_with_it(server):
    found = asyncio.run(kill_idle(server, most=10))
    assert (found["without"]["killed"], found["with"]["killed"]) == (3, 3)
    assert found["without"]["errors"] >= 1
    assert found["with"]["errors"] == 0
    assert (found["without"]["broken"], found["with"]["broken"]) == (0, 0)


def test_the_server_s_room_is_what_it_allows_less_what_is_in_use(server):
    room = room_of(server, 0.5)
    assert (room.limit > 50, room.used >= 1, room.most) == (True, True, (room.limit - room.used) // 2)


def test_no_more_than_a_share_of_the_free_connections_is_taken():
    crowded = Postgres(max_connections="20", superuser_reserved_connections="3")
    try:
        crowded.sql("CREATE DATABASE crowded")
        url = f"{crowded.url.removesuffix('postgres')}crowded"
        settings = settings_of(
            skip=OTHERS, pool={"size": 12, "sizes": [2, 16], "step": "200ms", "share": "50%"}
        )
        evidence = run_phase(settings, stores={"database": url})
    finally:
        crowded.end()
    pool = evidence.facts["pool"]
    assert ([row["size"] for row in pool["steps"]], pool["left_out"]) == ([2], [16])
    assert max(pool["exhaustion"]["size"], pool["overflow"]["size"] + pool["overflow"]["overflow"]) <= 8
    size = next(each for each in PoolPart().judge(evidence, settings) if each.check == "pool.size")
    assert (size.outcome, "could not be tried" in size.message) == (Outcome.INCONCLUSIVE, True)


def test_the_whole_part_finds_a_pool_too_small_and_says_which_size_is_enough(server_url):
    settings = settings_of(
        skip=OTHERS, pool={"size": 2, "sizes": [2, 8], "step": "400ms", "judged": "2s", "timeout": "600ms"}
    )
    evidence = run_phase(settings, stores={"database": server_url})
    findings = {each.check: each for each in PoolPart().judge(evidence, settings)}
    assert findings["pool.size"].outcome is Outcome.FAILED, findings["pool.size"].message
    assert findings["pool.leak"].outcome is Outcome.PASSED, findings["pool.leak"].message
    assert findings["pool.recovery"].outcome is Outcome.PASSED, findings["pool.recovery"].message
    advice = evidence.facts["pool"]["advice"]
    assert advice["knee"] == 8
    assert advice["recommended"] >= advice["busy"] > 2
    assert evidence.facts["pool"]["exhaustion"]["broke_asked"] >= 2


def test_ctrl_c_ends_it_soon_and_leaves_no_session(server_url, server):
    async def run():
        settings = settings_of(skip=OTHERS, pool={"sizes": [1, 2], "step": "20s"})
        context = make_context(settings, stores={"database": server_url})
        running = asyncio.create_task(run_parts(context))
        await until(lambda: context.record.facts.get("pool"))
        await asyncio.sleep(0.3)  # it is at work by now
        asked = time.monotonic()
        context.stop.request()
        await running
        return time.monotonic() - asked

    assert asyncio.run(run()) < 2.5
    names = "pg_stat_activity WHERE application_name LIKE 'campaign/%' AND datname = current_database()"
    if server.kind.value == "mysql":
        names = "information_schema.PROCESSLIST WHERE DB = DATABASE()"
    mine = 1  # the session that asks
    wait_until(lambda: server.scalar(f"SELECT count(*) FROM {names}") <= mine, seconds=5)  # noqa: S608


def test_a_server_that_dies_in_the_middle_costs_the_rest_and_no_more():
    doomed = Postgres()
    try:
        url = doomed.database("doomed")

        async def run():
            settings = settings_of(skip=OTHERS, pool={"size": 4, "sizes": [2, 4], "step": "600ms"})
            context = make_context(settings, stores={"database": url})
            running = asyncio.create_task(run_parts(context))
            await until(lambda: (context.record.facts.get("pool") or {}).get("steps"))
            await asyncio.to_thread(doomed.kill)
            async with asyncio.timeout(30):
                await running
            return {each.check: each for each in PoolPart().judge(context.record.evidence, settings)}

        findings = asyncio.run(run())
    finally:
        doomed.end()
    assert findings["pool.size"].outcome is Outcome.INCONCLUSIVE
    assert "connection" in findings["pool.size"].message


def test_sqlite_is_told_to_have_no_pool(sqlite_url):
    settings = settings_of(skip=OTHERS)
    evidence = run_phase(settings, stores={"database": sqlite_url})
    assert {each.outcome for each in PoolPart().judge(evidence, settings)} == {Outcome.NOT_APPLICABLE}
