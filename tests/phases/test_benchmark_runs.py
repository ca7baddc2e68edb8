"""Benchmarks run against real servers: what is sent, on which side, and what the comparison finds."""

import asyncio
import dataclasses
import http.server
import json
import re
import threading
import time

import pytest
from scene import make_context
from servers import Redis, wait_until

from campaign.database.server import connect_args
from campaign.records import Outcome
from campaign.target.journey import Do, TaskSpec, WaitSpec
from campaign.target.spec import (
    BodySpec,
    ExpectSpec,
    OperationSpec,
    OptionsSpec,
    TargetSpec,
    UserSpec,
    Vocabulary,
)
from phases.benchmark import BenchmarkPhase
from phases.benchmark import commands as benchmark_commands
from phases.benchmark.settings import BenchmarkSettings

PHASE = BenchmarkPhase()


class Service(http.server.BaseHTTPRequestHandler):
    """Gives each login a token and a cookie of this server's own, and wants both back."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, or the kernel waits 40 ms between them

    def do_GET(self):
        server = self.server
        time.sleep(server.rest)
        if self.path == "/login":
            self.answer(200, {"token": server.token}, f"session={server.token}; Path=/")
            return
        if self.path == "/":  # whether it is there at all
            self.answer(200, {})
            return
        known = self.headers.get("Authorization") == f"Bearer {server.token}"
        known = known and self.headers.get("Cookie") == f"session={server.token}"
        server.seen.append((self.path, known))
        self.answer(server.status if known else 401, {})

    def answer(self, status, document, cookie=""):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def service():
    """Starts servers that rest for so many seconds before each answer."""
    started = []

    def start(rest=0.0, status=200):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        server.daemon_threads = True
        server.rest, server.status, server.seen = rest, status, []
        server.token = f"token-of-{server.server_port}"
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.shutdown()
        server.server_close()
        thread.join()


def get(name, path, **more):
    return OperationSpec(name, "GET", path, auth="{{ token }}", expect=ExpectSpec(status=(200,)), **more)


def vocabulary():
    login = OperationSpec("login", "GET", "/login", save={"token": "$.token"})
    write = OperationSpec("write", "POST", "/write")
    operations = {each.name: each for each in (login, get("story", "/story"), get("song", "/song"), write)}
    tasks = {name: TaskSpec.of(name) for name in ("story", "song", "write")}
    user = UserSpec("child", 1, WaitSpec(), (Do("login"),), tasks)
    return Vocabulary(operations=operations, users={"child": user})


def run(url, *, stores=None, baseline=None, environment="staging", **said):
    """The evidence and the findings by check."""
    settings = BenchmarkSettings.model_validate({"iterations": 40, "warm_up": 3, "users": 2, **said})

    async def collect():
        target = TargetSpec(url, environment=environment, stores=stores or {})
        context = make_context(settings, target=target, vocabulary=vocabulary())
        context = dataclasses.replace(context, baseline=baseline)
        async with asyncio.timeout(60):
            await PHASE.collect(context)
        return context.record.evidence

    evidence = asyncio.run(collect())
    return evidence, {each.check: each for each in PHASE.judge(evidence, settings)}


def outcomes(found):
    return {name: each.outcome for name, each in found.items()}


def test_with_nothing_listed_the_reading_operations_of_users_are_measured_each_alike(service):
    server = service()
    evidence, found = run(server.url)
    assert {(each["name"], each["target"]["count"]) for each in evidence.facts["entries"]} == {
        ("story", 40),
        ("song", 40),
    }
    assert set(outcomes(found).values()) == {Outcome.INFORMATIONAL}
    assert server.seen == [("/story", True), ("/song", True)] * 43  # in turn, the rounds of warm-up too


def test_a_pause_between_rounds_is_in_no_time(service):
    began = time.monotonic()
    evidence, _ = run(service().url, operations=["story"], iterations=10, pause="100ms")
    [entry] = evidence.facts["entries"]
    assert entry["target"]["count"] == 10
    assert time.monotonic() - began > 0.9
    assert entry["target"]["p99"]["value"] < 0.1


def test_a_slow_second_target_shows_the_first_as_faster(service):
    quick, slow = service(), service(rest=0.006)
    _, found = run(quick.url, against=slow.url, operations=["story"])
    assert outcomes(found)["operation.story.against"] is Outcome.PASSED
    assert found["operation.story.against"].message.endswith(": faster")


def test_a_target_that_rests_is_slower_than_its_second_and_fails(service):
    quick, slow = service(rest=0.002), service(rest=0.006)
    _, found = run(slow.url, against=quick.url, operations={"story": "1s", "song": {}})
    assert outcomes(found) == {
        "operation.story.mean": Outcome.PASSED,
        "operation.story.against": Outcome.FAILED,
        "operation.song.mean": Outcome.INFORMATIONAL,
        "operation.song.against": Outcome.FAILED,
    }


def test_of_two_targets_that_are_alike_none_is_called_too_slow(service):
    one, other = service(rest=0.02), service(rest=0.02)  # long enough to hide what the machine does
    _, found = run(one.url, against=other.url, operations=["story"])
    assert outcomes(found)["operation.story.against"] is Outcome.PASSED


def test_each_side_keeps_its_own_tokens_and_cookies(service):
    one, other = service(), service()
    run(one.url, against=other.url, operations=["story"])
    assert {known for _, known in one.seen + other.seen} == {True}
    assert len(one.seen) == len(other.seen) == 43


def test_a_second_target_that_is_not_there_leaves_the_first_measured(service):
    _, found = run(service().url, against="http://127.0.0.1:9", operations={"story": "1s"})
    assert outcomes(found) == {
        "operation.story.mean": Outcome.PASSED,
        "operation.story.against": Outcome.INCONCLUSIVE,
    }


def test_an_operation_that_fails_is_no_benchmark(service):
    _, found = run(service(status=503).url, operations={"story": "1s"})
    assert outcomes(found) == {"operation.story.mean": Outcome.FAILED}
    assert "status 503" in found["operation.story.mean"].message


def test_a_login_that_fails_says_so(service):
    server = service()
    server.RequestHandlerClass = type("Closed", (Service,), {"answer": _refuse})
    _, found = run(server.url, operations={"story": "1s"}, at_most="10s", iterations=10)
    assert outcomes(found) == {"operation.story.mean": Outcome.INCONCLUSIVE}
    assert "login: status 403" in found["operation.story.mean"].message


def _refuse(self, status, document, cookie=""):
    self.send_response(403)
    self.send_header("Content-Length", "0")
    self.end_headers()


def test_an_earlier_run_is_compared_from_its_evidence(service):
    server = service()
    before, _ = run(server.url, operations=["story"])
    server.rest = 0.006
    _, found = run(server.url, operations=["story"], baseline=before)
    assert outcomes(found)["operation.story.baseline"] is Outcome.FAILED


STATEMENTS = {
    "lookup": {"sql": "SELECT name FROM people WHERE id = :id -- by key", "params": {"id": 7}, "limit": "1s"},
    "like": {"sql": "SELECT count(*) FROM people WHERE name LIKE '%7%'", "limit": "1s"},
}


@pytest.fixture
def people(database_url):
    from campaign.database.address import read_address  # noqa: PLC0415
    from campaign.database.server import open_server  # noqa: PLC0415

    server = open_server(read_address(database_url), tag="test")
    filling = (f"INSERT INTO people VALUES ({number}, 'name {number}')" for number in range(120))  # noqa: S608
    server.run("CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(40))", *filling)
    yield server
    server.close()


def with_statements(service, url, statements, **more):
    return run(service().url, stores={"database": url}, operations=[], statements=statements, **more)


def test_statements_are_timed_on_each_database(service, database_url, people):
    evidence, found = with_statements(service, database_url, STATEMENTS)
    assert outcomes(found) == {
        "statement.lookup.mean": Outcome.PASSED,
        "statement.like.mean": Outcome.PASSED,
    }
    assert {each["target"]["count"] for each in evidence.facts["entries"]} == {40}


def test_a_write_in_disguise_is_refused_by_the_session(service, postgres_url):
    from campaign.database.address import read_address  # noqa: PLC0415
    from campaign.database.server import open_server  # noqa: PLC0415

    server = open_server(read_address(postgres_url), tag="test")
    server.run(
        "CREATE TABLE calls (at int)",
        "CREATE FUNCTION note() RETURNS int LANGUAGE sql AS 'INSERT INTO calls VALUES (1) RETURNING at'",
    )
    disguised = {"sly": {"sql": "SELECT note()", "limit": "1s"}}
    _, found = with_statements(service, postgres_url, disguised)
    assert outcomes(found) == {"statement.sly.mean": Outcome.INCONCLUSIVE}
    assert "read-only" in found["statement.sly.mean"].message
    assert server.scalar("SELECT count(*) FROM calls") == 0
    _, found = with_statements(service, postgres_url, {"sly": {**disguised["sly"], "writes": True}})
    assert outcomes(found) == {"statement.sly.mean": Outcome.PASSED}
    assert server.scalar("SELECT count(*) FROM calls") == 43
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'campaign/%'"
    wait_until(lambda: server.scalar(ours) == 0, seconds=5)
    server.close()


LIFTING = {
    "postgresql": (
        "CREATE FUNCTION sly() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM set_config('default_transaction_read_only', 'off', false); "
        "INSERT INTO calls VALUES (1); RETURN 1; END $$"
    ),
    "mysql": (
        "CREATE FUNCTION sly() RETURNS int DETERMINISTIC BEGIN "
        "SET SESSION tx_read_only = 0; INSERT INTO calls VALUES (1); RETURN 1; END"
    ),
}


@pytest.mark.parametrize("which", ["postgres_url", "mariadb_url"])
def test_no_function_lifts_the_guard(service, which, request):
    from campaign.database.address import read_address  # noqa: PLC0415
    from campaign.database.server import open_server  # noqa: PLC0415

    url = request.getfixturevalue(which)
    server = open_server(read_address(url), tag="test")
    unlock = "SELECT set_config('transaction_read_only', 'off', false)"
    first = unlock if which == "postgres_url" else "SELECT 1"
    server.run("CREATE TABLE calls (at int)", LIFTING[server.kind.value])
    with_statements(service, url, {"first": {"sql": first}, "sly": {"sql": "SELECT sly()", "limit": "1s"}})
    assert server.scalar("SELECT count(*) FROM calls") == 0
    server.close()


def test_a_statement_with_a_quoted_colon_and_one_with_a_mistake_leave_the_others(service, database_url):
    some = {
        "odd": {"sql": "SELECT 7 % 4 AS \"a :x % b\", ':y'", "limit": "1s"},
        "plain": {"sql": "SELECT 1", "limit": "1s"},
        "wrong": {"sql": "SELECT no_such_column", "limit": "1s"},
    }
    _, found = with_statements(service, database_url, some)
    assert outcomes(found)["statement.odd.mean"] is Outcome.PASSED
    assert outcomes(found)["statement.plain.mean"] is Outcome.PASSED
    assert outcomes(found)["statement.wrong.mean"] is not Outcome.PASSED


@pytest.mark.parametrize(
    ("which", "sql"), [("postgres_url", "SELECT pg_sleep(1000)"), ("mariadb_url", "SELECT SLEEP(1000)")]
)
def test_a_statement_that_never_returns_is_cancelled_on_the_server_in_time(service, which, sql, request):
    from campaign.database.address import read_address  # noqa: PLC0415
    from campaign.database.server import open_server  # noqa: PLC0415
    from campaign.database.sessions import sessions  # noqa: PLC0415

    url = request.getfixturevalue(which)
    began = time.monotonic()
    _, found = with_statements(service, url, {"slow": {"sql": sql, "limit": "1s"}}, at_most="2s")
    assert time.monotonic() - began < 10
    assert outcomes(found)["statement.slow.mean"] is not Outcome.PASSED
    server = open_server(read_address(url), tag="test")
    wait_until(lambda: not [each for each in sessions(server) if "1000" in each.statement], seconds=5)
    server.close()


def test_nothing_is_written_in_production(service, sqlite_url):
    writing = {"wipe": {"sql": "DELETE FROM people", "writes": True, "limit": "1s"}}
    _, found = with_statements(service, sqlite_url, writing, environment="production")
    assert outcomes(found) == {"statement.wipe.mean": Outcome.INCONCLUSIVE}
    assert "production" in found["statement.wipe.mean"].message


def test_a_statement_that_gives_everything_is_not_fetched(service, postgres_url):
    everything = {
        "all": {"sql": "SELECT repeat('x', 100000) FROM generate_series(1, 10000000)", "limit": "1s"}
    }
    _, found = with_statements(service, postgres_url, everything)
    assert "more than 64 MiB" in found["statement.all.mean"].message


def test_too_many_rows_are_not_fetched_whatever_their_columns_are_called(service, database_url, people):
    doubled = "SELECT * FROM people a JOIN people b ON 1 = 1"  # two columns of each name, 14,400 rows
    said = {"join": {"sql": doubled, "limit": "1s"}, "few": {"sql": f"{doubled} LIMIT 9000", "limit": "1s"}}
    evidence, found = with_statements(service, database_url, said, iterations=10, warm_up=0)
    assert "more than 10,000 rows" in found["statement.join.mean"].message
    assert outcomes(found)["statement.few.mean"] is Outcome.PASSED
    assert {each["name"]: each["target"]["count"] for each in evidence.facts["entries"]} == {
        "join": 0,
        "few": 10,
    }


@pytest.mark.parametrize("wrong", ["SELECT nmae FROM people", "SELECT name FROM poeple WHERE id = 7"])
def test_a_statement_that_is_wrong_has_failed_with_the_words_of_the_server(
    service, database_url, people, wrong
):
    _, found = with_statements(service, database_url, {"typo": {"sql": wrong, "limit": "1s"}})
    [finding] = found.values()
    assert (finding.check, finding.outcome) == ("statement.typo.mean", Outcome.FAILED)
    assert re.search("nmae|poeple", finding.message)


def test_a_statement_that_runs_into_a_timeout_has_failed_after_that_time(service, postgres_url, monkeypatch):
    monkeypatch.setattr("campaign.database.server.STATEMENT_SECONDS", 0.2)
    monkeypatch.setattr(connect_args, "__kwdefaults__", {"statement_seconds": 0.2})
    evidence, found = with_statements(
        service, postgres_url, {"slow": {"sql": "SELECT pg_sleep(5)", "limit": "10ms"}}
    )
    assert outcomes(found) == {"statement.slow.mean": Outcome.FAILED}
    assert "statement timeout" in found["statement.slow.mean"].message
    [entry] = evidence.facts["entries"]
    assert 0.19 < entry["target"]["mean"]["value"] < 1


def test_a_statement_that_never_returns_ends_with_the_time_of_the_phase(service, sqlite_url):
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    began = time.monotonic()
    _, found = with_statements(
        service, sqlite_url, {"endless": {"sql": endless, "limit": "1s"}}, at_most="2s"
    )
    assert outcomes(found) == {"statement.endless.mean": Outcome.INCONCLUSIVE}
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("stores", "said"),
    [({}, "no database"), ({"database": "postgresql://postgres@127.0.0.1:1/x"}, "does not answer")],
)
def test_statements_without_their_database_are_undecided(service, stores, said):
    _, found = run(service().url, stores=stores, operations=[], statements=STATEMENTS)
    assert set(outcomes(found).values()) == {Outcome.INCONCLUSIVE}
    assert said in found["statement.lookup.mean"].message


def test_cache_commands_are_timed_by_default_and_leave_nothing(service, redis_server):
    before = redis_server.say("DBSIZE")
    evidence, found = run(service().url, stores={"redis": redis_server.url}, operations=[])
    assert set(found) == {"cache.get.mean", "cache.set.mean"}
    assert {each["target"]["count"] for each in evidence.facts["entries"]} == {40}
    assert redis_server.say("DBSIZE") == before


def test_every_cache_command_that_may_be_named_works(service, redis_server):
    commands = ["get", "set", "mget", "hget", "hset", "incr", "ping"]
    evidence, _ = run(service().url, stores={"redis": redis_server.url}, operations=[], cache=commands)
    assert [(each["name"], each["target"]["errors"]) for each in evidence.facts["entries"]] == [
        (name, {}) for name in commands
    ]


def test_a_redis_that_dies_half_way_has_failed(service):
    server = Redis()
    after = 400

    async def dies(commands, times, *, over):
        if times["get"].asked == after:
            await asyncio.to_thread(server.kill)
        await plain(commands, times, over=over)

    plain = benchmark_commands._round
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(benchmark_commands, "_round", dies)
            _, found = run(
                service().url, stores={"redis": server.url}, operations=[], cache={"get": "1s"},
                iterations=1000, warm_up=1,
            )  # fmt: skip
    finally:
        server.end()
    assert outcomes(found) == {"cache.get.mean": Outcome.FAILED}
    assert "the last 3 of them on end (1,000 were planned)" in found["cache.get.mean"].message


def test_cache_commands_without_a_redis_are_undecided(service):
    _, found = run(service().url, operations=[], cache={"get": "2ms..5ms"})
    assert outcomes(found) == {"cache.get.mean": Outcome.INCONCLUSIVE}


def test_nothing_to_measure_leaves_the_plan(service):
    _, found = run(service().url, operations=[])
    assert outcomes(found) == {"entries": Outcome.NOT_APPLICABLE}


class Registry(Service):
    """Accounts, each deleted only by the user of the same number that made it."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        accounts, status = self.server.accounts, 201
        if self.path == "/delete":
            status = 204 if accounts.pop(body["id"], None) == body["number"] else 403
        else:
            accounts[f"a{len(self.server.seen)}"] = body["number"]
        told = b"" if status != 201 else json.dumps({"id": f"a{len(self.server.seen)}"}).encode()
        self.server.seen.append((self.path, status))
        self.send_response(status)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)


def test_what_each_user_made_is_deleted_as_that_user(service, monkeypatch):
    server = service()
    server.RequestHandlerClass, server.accounts = Registry, {}
    number = {"number": "{{ user.number }}"}
    register = OperationSpec(
        "register", "POST", "/register", save={"id": "$.id"}, body=BodySpec(has_json=True, json=number),
        options=OptionsSpec(undo="delete"),
    )  # fmt: skip
    delete = OperationSpec(
        "delete", "POST", "/delete", body=BodySpec(has_json=True, json={**number, "id": "{{ id }}"})
    )
    monkeypatch.setitem(globals(), "vocabulary", lambda: Vocabulary({"register": register, "delete": delete}))
    _, found = run(server.url, operations={"register": "1s"}, users=3, iterations=10, warm_up=0)
    assert outcomes(found) == {"operation.register.mean": Outcome.PASSED, "tidy": Outcome.PASSED}
    assert server.accounts == {}
