"""`campaign clean`: what a killed run left behind goes, and nothing else."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from servers import wait_until
from sqlalchemy import Column, Integer, delete, insert, update

from campaign.database.address import read_address
from campaign.database.server import open_server, tag_of
from campaign.database.territory import claim, places

ROOT = Path(__file__).parents[2]
CLAIM_IN_DATABASE = """
import sys, time
from campaign.database.address import read_address
from campaign.database.server import open_server
from campaign.database.territory import claim
from sqlalchemy import Column, ForeignKey, Integer
place = claim(open_server(read_address(sys.argv[1]), tag="killed"))
parents = place.table("parents", Column("id", Integer, primary_key=True))
children = place.table("children", Column("parent", ForeignKey(place.full("parents.id"))))
place.create(parents, children)
print(place.name, flush=True)
time.sleep(600)
"""
CLAIM_IN_REDIS = """
import asyncio, sys
from redis.asyncio import Redis
from campaign.cache.territory import claim
async def work():
    client = Redis.from_url(sys.argv[1])
    place = await claim(client)
    await client.mset({place.key("value", number): "x" for number in range(1200)})
    await client.rpush(place.key("list"), *range(10))
    print(place.name, flush=True)
    await asyncio.sleep(600)
asyncio.run(work())
"""


def environ():
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}


class Run:
    """A process of its own that has claimed a place and stays at work in it."""

    def __init__(self, script, url):
        command = [sys.executable, "-c", script, url]
        self.process = subprocess.Popen(command, env=environ(), stdout=subprocess.PIPE, text=True)
        self.place = self.process.stdout.readline().strip()
        assert self.place

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def start():
    """Starts runs; what is still there at the end is killed."""
    runs = []

    def starting(script, url):
        runs.append(Run(script, url))
        return runs[-1]

    yield starting
    for run in runs:
        if run.process.poll() is None:
            run.kill()


@pytest.fixture
def redis_client(redis_server):
    client = redis.Redis.from_url(redis_server.url)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture
def server(database_url):
    opened = open_server(read_address(database_url), tag=tag_of("test"))
    yield opened
    opened.close()


def clean(tmp_path, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "campaign", "clean", *arguments],
        cwd=tmp_path,
        env=environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def tables_of(server):
    """Every table there is, with its schema."""
    if server.kind.value == "sqlite":
        found = server.rows("SELECT '' AS place, name AS name FROM sqlite_master WHERE type = 'table'")
    else:
        found = server.rows(
            "SELECT table_schema AS place, table_name AS name FROM information_schema.tables "
            "WHERE table_schema NOT IN "
            "('pg_catalog', 'information_schema', 'mysql', 'performance_schema', 'sys')"
        )
    return {f"{row['place']}.{row['name']}" for row in found}


def test_what_a_killed_run_left_in_a_database_goes_and_nothing_else(server, database_url, start, tmp_path):
    theirs = "campaign_deadbeef_orders"  # a name like ours, and no mark of ours
    server.run("CREATE TABLE customers (id INTEGER)", f"CREATE TABLE {theirs} (id INTEGER)")
    if server.kind.value == "postgresql":
        server.run("CREATE SCHEMA campaign_0badcafe", "CREATE TABLE campaign_0badcafe.orders (id INTEGER)")
    before = tables_of(server)
    killed = start(CLAIM_IN_DATABASE, database_url)
    killed.kill()
    assert tables_of(server) > before
    done = clean(tmp_path, "--database-url", database_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"database: dropped {killed.place}, made by process {killed.process.pid} on" in done.stdout
    assert tables_of(server) == before


def test_a_run_that_is_still_at_work_keeps_its_place(server, database_url, start, tmp_path):
    living, killed = (start(CLAIM_IN_DATABASE, database_url) for _ in range(2))
    killed.kill()
    done = clean(tmp_path, "--database-url", database_url)
    assert set(places(server)) == {living.place}
    assert f"left {living.place}: process {living.process.pid} on" in done.stdout
    assert clean(tmp_path, "--database-url", database_url, "--all").returncode == 0
    assert places(server) == {}


def test_a_dry_run_says_what_would_go_and_touches_nothing(server, database_url, start, tmp_path):
    killed = start(CLAIM_IN_DATABASE, database_url)
    killed.kill()
    before = tables_of(server)
    done = clean(tmp_path, "--database-url", database_url, "--dry-run")
    assert (done.returncode, f"would drop {killed.place}" in done.stdout) == (0, True)
    assert tables_of(server) == before


@pytest.mark.parametrize(("age", "left"), [(3600, 1), (25 * 3600, 0)])
def test_what_another_machine_made_goes_after_a_day(server, database_url, tmp_path, age, left):
    place = claim(server)
    (mark,) = place.metadata.sorted_tables
    with server.writing() as connection:
        connection.execute(update(mark).values(host="elsewhere", began=mark.c.began - age))
    done = clean(tmp_path, "--database-url", database_url)
    assert ("elsewhere made it less than 24 hours ago" in done.stdout, len(places(server))) == (
        bool(left),
        left,
    )
    place.drop()


def test_a_place_that_is_just_being_made_is_left(server, database_url, tmp_path):
    place = claim(server)
    (mark,) = place.metadata.sorted_tables
    with server.writing() as connection:
        connection.execute(delete(mark))
    done = clean(tmp_path, "--database-url", database_url)
    assert (done.returncode, "does not say whose it is" in done.stdout, len(places(server))) == (0, True, 1)
    place.drop()


def test_a_claim_on_postgres_is_marked_as_soon_as_it_is_seen(postgres_url):
    server = open_server(read_address(postgres_url), tag="test")
    try:
        place = claim(server)
        table = place.table("things", Column("id", Integer))
        place.create(table)
        with server.writing() as connection:
            connection.execute(insert(table), {"id": 1})
        assert [owner.process for owner in places(server).values()] == [os.getpid()]
    finally:
        place.drop()
        server.close()


def test_keys_of_a_killed_run_go_and_those_of_the_service_and_of_a_living_run_stay(
    redis_server, redis_client, start, tmp_path
):
    killed, living = (start(CLAIM_IN_REDIS, redis_server.url) for _ in range(2))
    killed.kill()
    of_service = {b"campaign:deadbeef:orders", b"campaign:summer", b"session:1", b"campaign:feedface:owner"}
    for key in of_service:
        redis_client.set(key, "theirs")
    done = clean(tmp_path, "--redis-url", redis_server.url)
    assert (done.returncode, f"redis: dropped {killed.place}" in done.stdout) == (0, True)
    kept = {key for key in redis_client.scan_iter(count=1000) if not key.startswith(living.place.encode())}
    assert kept == of_service
    assert len(list(redis_client.scan_iter(f"{living.place}:*", count=1000))) == 1202


def test_a_dry_run_touches_no_key(redis_server, redis_client, start, tmp_path):
    killed = start(CLAIM_IN_REDIS, redis_server.url)
    killed.kill()
    done = clean(tmp_path, "--redis-url", redis_server.url, "--dry-run")
    assert (f"would drop {killed.place}" in done.stdout, redis_client.dbsize()) == (True, 1202)


def test_a_store_that_cannot_be_used_does_not_keep_the_other_from_being_cleaned(
    redis_server, redis_client, start, tmp_path
):
    killed = start(CLAIM_IN_REDIS, redis_server.url)
    killed.kill()
    nowhere = "postgresql://somebody:hidden-word@127.0.0.1:1/nothing"
    done = clean(tmp_path, "--database-url", nowhere, "--redis-url", redis_server.url)
    assert done.returncode == 2
    assert "127.0.0.1:1/nothing does not answer" in done.stderr
    assert "hidden-word" not in done.stderr + done.stdout
    wait_until(lambda: redis_client.dbsize() == 0, seconds=5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "there is nothing to clean"),
        (("--database-url", "nonsense"), "--database-url"),
        (("--database-url", "sqlite:////nowhere/at.all"), "no such file"),
        (("--redis-url", "redis://8.8.8.8:6379/0"), "target.redis: 8.8.8.8 is neither loopback nor private"),
        (("nothing.yaml",), "no such file"),
    ],
)
def test_what_cannot_be_cleaned_is_said_and_ends_with_2(tmp_path, arguments, message):
    done = clean(tmp_path, *arguments)
    assert (done.returncode, message in done.stderr) == (2, True), done.stderr


def test_a_run_that_ends_well_leaves_no_mark(redis_server, redis_client):
    import asyncio  # noqa: PLC0415

    from redis.asyncio import Redis  # noqa: PLC0415

    from campaign.cache.territory import claim as claim_keys  # noqa: PLC0415

    async def whole():
        async with Redis.from_url(redis_server.url) as client:
            place = await claim_keys(client)
            mark = json.loads(await client.get(place.key("owner")))
            await client.set(place.key("a", 1), "x")
            return mark["process"], await place.drop()

    assert asyncio.run(whole()) == (os.getpid(), 2)
    assert redis_client.dbsize() == 0
