"""Each defect of the database kind misbehaves as its row says, and the healthy service does not."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

SMALL = ("--seed-parents=5", "--seed-history=500", "--requests-per-second=1000")


def serving(start, url, *options):
    """A small service on this PostgreSQL."""
    return start(*SMALL, f"--database-url={url.replace('postgresql:', 'postgresql+psycopg:')}", *options)


def healthy_and(defect):
    return pytest.mark.parametrize(("options", "broken"), [((), False), ((f"--defect={defect}",), True)])


class Family:
    """A seeded parent, signed in, with the one child."""

    def __init__(self, demo, number=1):
        self.http = demo.login(number)
        (child,) = self.http.get("/api/children").json()["children"]
        self.child = f"/api/children/{child['id']}"
        self.said = {"child_id": child["id"], "session_id": child["session_id"], "text": "Hello"}
        self.history = f"/api/session/{child['session_id']}/history"

    def name(self):
        return self.http.get(self.child).json()["name"]

    def change(self, **fields):
        assert self.http.patch(self.child, json=fields).status_code == 200

    def messages(self):
        return self.http.get("/api/stats").json()["messages"]


@healthy_and("missing-index")
def test_the_activities_have_an_index_on_the_child(start, postgres_server, postgres_url, options, broken):
    with serving(start, postgres_url, *options):
        there = postgres_server.sql(
            "SELECT count(*) FROM pg_indexes WHERE tablename = 'activities' AND indexdef LIKE '%child_id%'",
            postgres_url.rpartition("/")[2],
        )
    assert (there == "0") == broken


def test_the_seed_has_activities_enough_for_a_missing_index_to_show(start, postgres_server, postgres_url):
    url = postgres_url.replace("postgresql:", "postgresql+psycopg:")
    with start("--seed-parents=1000", "--seed-history=1000", f"--database-url={url}"):
        assert postgres_server.sql("SELECT count(*) FROM activities", url.rpartition("/")[2]) == "20000"


@healthy_and("no-foreign-keys")
def test_a_deleted_child_leaves_no_messages(start, postgres_server, postgres_url, options, broken):
    with serving(start, postgres_url, *options) as demo:
        assert (family := Family(demo)).http.delete(family.child).status_code == 204
        left = postgres_server.sql(
            "SELECT count(*) FROM messages WHERE child_id NOT IN (SELECT id FROM children)",
            postgres_url.rpartition("/")[2],
        )
    assert (left == "100") == broken


def test_commits_wait_for_the_disk_unless_lazy_and_again_after_a_healthy_start(
    start, postgres_server, postgres_url
):
    seen = []
    for options in ((), ("--defect=lazy-commit",), ()):
        with serving(start, postgres_url, *options):
            seen.append(postgres_server.sql("SHOW synchronous_commit", postgres_url.rpartition("/")[2]))
    assert seen == ["on", "off", "on"]


@healthy_and("pool-too-small")
def test_one_statement_that_waits_stops_no_other_request(
    start, postgres_server, postgres_url, options, broken
):
    with serving(start, postgres_url, *options) as demo, ThreadPoolExecutor(3) as pool:
        family, other = Family(demo, 1), Family(demo, 2)
        sleep = "BEGIN; LOCK TABLE consents; SELECT pg_sleep(1.5); COMMIT"
        lock = pool.submit(postgres_server.sql, sleep, postgres_url.rpartition("/")[2])
        while postgres_server.sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock'") == "0":
            assert not lock.done()
        said = pool.submit(family.http.post, "/api/conversation", json=family.said)
        time.sleep(0.3)
        began = time.monotonic()
        assert other.http.get("/api/user/me").status_code == 200
        waited = time.monotonic() - began
        assert said.result().status_code == 200
    assert (waited > 0.5) == broken


@healthy_and("connection-leak")
def test_children_that_are_not_found_cost_no_connection(start, options, broken):
    with start(*SMALL, *options) as demo:
        http = Family(demo).http
        for _ in range(4):
            assert http.get("/api/children/nobody").status_code == 404
        assert (http.get("/api/user/me").status_code == 503) == broken


def lost_changes(family):
    """How many of twenty pairs of changes to different fields lost one of the two."""
    lost = 0
    with ThreadPoolExecutor(2) as pool:
        for turn in range(20):
            wanted = {"name": f"Kim {turn}", "interests": f"chess {turn}"}
            list(pool.map(lambda field: family.change(**dict([field])), wanted.items()))
            child = family.http.get(family.child).json()
            lost += any(child[field] != value for field, value in wanted.items())
    return lost


@healthy_and("lost-update")
def test_two_changes_at_once_are_both_kept(start, postgres_url, options, broken):
    with serving(start, postgres_url, *options) as demo:
        assert (lost_changes(Family(demo)) > 0) == broken


@healthy_and("write-skew")
def test_nothing_is_stored_after_a_revocation_was_confirmed(start, postgres_url, options, broken):
    with serving(start, postgres_url, *options) as demo, ThreadPoolExecutor(1) as pool:
        family = Family(demo)
        said = pool.submit(family.http.post, "/api/conversation", json=family.said)
        time.sleep(0.03)
        family.http.delete(f"{family.child}/consent", params={"kind": "collection"})
        before = family.messages()
        said.result()
        assert (family.messages() > before) == broken


@healthy_and("stale-cache")
def test_a_change_is_seen_at_once(start, redis_server, options, broken):
    with start(*SMALL, *options, f"--redis-url={redis_server.url}") as demo:
        family = Family(demo)
        before = family.name()
        family.change(name="Somebody")
        assert (family.name() == before) == broken


@healthy_and("stale-cache")
def test_a_change_is_seen_at_once_without_redis_too(start, options, broken):
    with start(*SMALL, *options) as demo:
        family = Family(demo)
        before = family.name()
        family.change(name="Somebody")
        assert (family.name() == before) == broken


@healthy_and("keys-without-ttl")
def test_every_key_in_redis_has_an_end(start, redis_server, options, broken):
    redis_server.say("FLUSHALL")
    with start(*SMALL, *options, f"--redis-url={redis_server.url}") as demo:
        Family(demo)
        keys = redis_server.say("KEYS", "teddy:*").split()
    endless = [key for key in keys if redis_server.say("PTTL", key) == "-1"]
    assert keys
    assert bool(endless) == broken


@healthy_and("n-plus-one")
def test_a_page_of_history_is_read_in_a_few_statements(start, postgres_server, postgres_url, options, broken):
    name = postgres_url.rpartition("/")[2]
    postgres_server.sql("CREATE EXTENSION pg_stat_statements", name)
    with serving(start, postgres_url, *options) as demo:
        family = Family(demo)
        postgres_server.sql("SELECT pg_stat_statements_reset()", name)
        assert len(family.http.get(family.history).json()["messages"]) == 20
        count = postgres_server.sql(
            "SELECT sum(calls) FROM pg_stat_statements WHERE query LIKE '%messages%' AND query LIKE 'SELECT%'"
            " AND query NOT LIKE '%pg_stat_statements%'",
            name,
        )
    assert (int(count) > 20) == broken


def test_the_page_is_the_same_however_it_is_read(start):
    pages = []
    for options in ((), ("--defect=n-plus-one",)):
        with start(*SMALL, *options) as demo:
            lines = Family(demo).http.get(Family(demo).history).json()["messages"]
            pages.append([(line["role"], line["text"]) for line in lines])
    assert pages[0] == pages[1]
