"""Patterns run by the load engine on real databases: counted, timed, bounded, cancelled on the server too."""

import asyncio
import contextlib
import subprocess
import sys

import psutil
import pytest
from scene import open_scene
from servers import Postgres, wait_until

from campaign.database.address import read_address
from campaign.database.server import open_server
from campaign.database.sessions import sessions
from campaign.load.tally import ErrorKind, Stage
from phases.database.pattern import Between, OneOf, Pattern, Rendered, Statement
from phases.database.running.placeholders import asyncmy_style, numbered, psycopg_style, question
from phases.database.running.run import run_patterns

TABLE = "CREATE TABLE things (id INT PRIMARY KEY, v INT)"
FEW = ("INSERT INTO things VALUES (1, 0), (2, 0), (3, 0), (4, 0)",)
LOOKUP = Statement("SELECT v FROM things WHERE id = :id", {"id": Between(1, 4)})
BUMP = Statement("UPDATE things SET v = v + 1 WHERE id = :id", {"id": Between(1, 4)})
ENDLESS = {
    "postgresql": "SELECT pg_sleep(60)",
    "mysql": "SELECT SLEEP(60)",
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c",
}
UNBOUND = {
    "postgresql": "SET statement_timeout = 0",
    "mysql": "SET SESSION max_statement_time = 0",
    "sqlite": "SELECT 1",
}

WORKING = {**ENDLESS, "mysql": "SELECT BENCHMARK(3000000000, SHA2('bear', 512))"}
"""The same, where SLEEP would notice that nobody listens any more."""


def run(url, *patterns, setup=(), during=None, left=False, **how):
    """The outcome, and what `during` or the database's own look afterwards gave."""

    async def main():
        async with open_scene(url) as scene:
            await asyncio.to_thread(scene.server.run, *setup)
            begun = asyncio.Event()
            beside = asyncio.create_task(_once(begun, scene, during)) if during else None
            options = {
                "on_second": lambda _: begun.set(),
                "hold": 0.8,
                "timeout": 1.0,
                "connections": 4,
                "rate": 100,
                **how,
            }
            if "users" in options:
                options["rate"] = None
            outcome = await run_patterns(scene, patterns, name="test", **options)
            beside and await beside
            look = await asyncio.to_thread(left, scene.server) if left else None
            return outcome, look

    async def bounded():
        async with asyncio.timeout(50):
            return await main()

    return asyncio.run(bounded())


async def _once(begun, scene, during):
    """Do it when the run has its first second behind it."""
    await begun.wait()
    await during(scene)


def held(outcome, name):
    return outcome.tallies[name, Stage.HOLD]


def codes(outcome, name):
    return {group.detail for group in outcome.errors if group.operation == name}


@pytest.mark.parametrize(
    ("translate", "sql", "expected"),
    [
        (numbered, "SELECT :a::int, :b, :a", ("SELECT $1::int, $2, $1", ("a", "b"))),
        (numbered, "SELECT ':a', $$:a$$, \":a\" -- :a", ("SELECT ':a', $$:a$$, \":a\" -- :a", ())),
        (psycopg_style, "SELECT '%', :a, 7 % 2", ("SELECT '%%', %s, 7 %% 2", ("a",))),
        (psycopg_style, "SELECT '50%'", ("SELECT '50%'", ())),
        (question, "SELECT :a, :a /* :b */", ("SELECT ?, ? /* :b */", ("a", "a"))),
        (asyncmy_style, r"SELECT 'it\'s :x', :p # :y", (r"SELECT 'it\'s :x', %s # :y", ("p",))),
        (numbered, r"SELECT '\', :p, E'\':x'", (r"SELECT '\', $1, E'\':x'", ("p",))),
        (question, r"SELECT 'x' || \:a", ("SELECT 'x' || :a", ())),
    ],
)
def test_parameters_are_written_as_the_driver_wants_them(translate, sql, expected):
    assert translate(sql) == expected


def test_every_acknowledged_change_is_in_the_database_and_counted_once(database_url):
    pair = Pattern("pair", 1, (BUMP, BUMP), writes=True, retries=9)
    one = Pattern("one", 1, (BUMP,), writes=True, retries=9)
    outcome, total = run(
        database_url, pair, one, Pattern("look", 2, (LOOKUP,)), setup=(TABLE, *FEW), timeout=5.0,
        left=lambda server: int(server.scalar("SELECT SUM(v) FROM things")),
    )  # fmt: skip
    assert outcome.errors == ()
    assert total == outcome.counts["pair.rows"] + outcome.counts["one.rows"]
    looked = sum(outcome.tallies[key].count for key in outcome.tallies if key[0] == "look")
    assert looked == outcome.counts["look.rows"] > 20


def test_parameters_are_drawn_rendered_or_constant(postgres_url):
    insert = Statement(
        "INSERT INTO marks (who, what, n) VALUES (:who, :what, :n)",
        {"who": Rendered("{{ user.id }}"), "what": OneOf(("red", "blue")), "n": 7},
    )
    _, rows = run(
        postgres_url, Pattern("mark", 1, (insert,), writes=True), timeout=5.0,
        setup=("CREATE TABLE marks (who VARCHAR(20), what VARCHAR(20), n INT)",),
        left=lambda server: server.rows("SELECT DISTINCT who, what, n FROM marks"),
    )  # fmt: skip
    assert {row["what"] for row in rows} == {"red", "blue"}
    assert {row["n"] for row in rows} == {7}
    assert {row["who"] for row in rows} <= {f"user-{number}" for number in range(1, 5)}


def kind_of(url):
    return url.partition(":")[0]


def busy(server):
    """What is still done on the server, whoever began it."""
    return [each.statement for each in sessions(server) if each.state in {"active", "Query"}]


def test_a_statement_that_never_returns_is_a_timeout_and_is_over_on_the_server(database_url):
    endless = Pattern("endless", 1, (Statement(ENDLESS[kind_of(database_url)]),))
    outcome, going_on = run(database_url, endless, users=2, hold=0.6, timeout=0.5, left=busy)
    assert held(outcome, "endless").errors == {ErrorKind.TIMEOUT: held(outcome, "endless").count}
    assert 0.48e6 <= held(outcome, "endless").response.mean < 1.2e6  # clocks of two processes
    assert going_on == []


def test_what_the_server_does_not_end_we_end(database_url):
    kind = kind_of(database_url)
    stubborn = Pattern("stubborn", 1, (Statement(UNBOUND[kind]), Statement(WORKING[kind])))
    outcome, going_on = run(
        database_url, stubborn, users=2, hold=0.6, timeout=0.5,
        left=lambda server: wait_until(lambda: not busy(server), seconds=5),
    )  # fmt: skip
    assert set(held(outcome, "stubborn").errors) == {ErrorKind.TIMEOUT}
    assert going_on is True


def test_a_huge_answer_is_a_failure_and_fills_no_memory(postgres_url):
    largest = []

    async def watch(_):
        for _ in range(10):
            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    largest.append(child.memory_info().rss)
            await asyncio.sleep(0.05)

    huge = Statement("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)")
    outcome, _ = run(postgres_url, Pattern("huge", 1, (huge,)), rate=4, hold=1.5, timeout=5.0, during=watch)
    assert codes(outcome, "huge") == {"result too large: more than 10,000 rows"}
    assert max(largest) < 300 * 2**20


CODES = {"postgresql": "42703", "mysql": "42S22/1054", "sqlite": "SQLITE_ERROR"}


def test_errors_stand_by_their_code_and_are_in_nobodys_way(database_url):
    cross = "SELECT a.id FROM things a, things b, things c, things d, things e, things f, things g"
    outcome, _ = run(
        database_url, Pattern("huge", 1, (Statement(cross),)), Pattern("look", 5, (LOOKUP,)),
        Pattern("wrong", 1, (Statement("SELECT nothing_at_all FROM things"),)),
        setup=(TABLE, *FEW), timeout=5.0, most_rows=1000,
    )  # fmt: skip
    assert codes(outcome, "huge") == {"result too large: more than 1,000 rows"}
    assert {each.partition(" ")[0] for each in codes(outcome, "wrong")} == {CODES[kind_of(database_url)]}
    assert held(outcome, "look").errors == {}


def test_psycopg_where_the_url_asks_for_it(postgres_url):
    pair = Pattern("pair", 1, (BUMP, BUMP), writes=True, retries=9)
    endless = Pattern("endless", 0.1, (Statement(ENDLESS["postgresql"]),))
    url = postgres_url.replace("postgresql:", "postgresql+psycopg:")
    outcome, (total, going_on) = run(
        url, pair, endless, Pattern("look", 1, (LOOKUP,)),
        setup=(TABLE, *FEW), timeout=0.5,
        left=lambda server: (int(server.scalar("SELECT SUM(v) FROM things")), busy(server)),
    )  # fmt: skip
    assert (total, going_on) == (outcome.counts["pair.rows"], [])
    assert codes(outcome, "endless") == {"57014 statement timeout"}
    assert codes(outcome, "look") | codes(outcome, "pair") == set()


def test_a_piece_of_python_is_given_the_drivers_connection(postgres_url, tmp_path):
    (tmp_path / "own_statements.py").write_text(
        "async def look(connection):\n    return len(await connection.fetch('SELECT v FROM things'))\n"
    )
    python = Pattern("python", 1, python="own_statements.look", folder=str(tmp_path))
    outcome, _ = run(postgres_url, python, setup=(TABLE, *FEW), hold=0.3)
    count = sum(outcome.tallies[key].count for key in outcome.tallies)
    assert (outcome.errors, outcome.counts["python.rows"]) == ((), 4 * count)


def test_deadlocks_are_counted_and_tried_again(postgres_url):
    crossed = [
        Pattern(
            f"locks{a}{b}", 1,
            tuple(Statement("UPDATE things SET v = v + 1 WHERE id = :id", {"id": each}) for each in (a, b)),
            writes=True, retries=5,
        )
        for a, b in ((1, 2), (2, 1))
    ]  # fmt: skip
    outcome, _ = run(
        postgres_url, *crossed, setup=(TABLE, *FEW), users=6, timeout=8.0,
        hold=2.0,
    )  # fmt: skip
    deadlocks = sum(count for name, count in outcome.counts.items() if name.endswith(".deadlocks"))
    retries = sum(count for name, count in outcome.counts.items() if name.endswith(".retries"))
    assert 1 <= deadlocks <= retries + sum(group.count for group in outcome.errors)
    assert retries >= 1


def test_a_user_without_rights_is_told_so(postgres_server, postgres_url, fresh_name):
    postgres_server.sql(f"CREATE TABLE things (id INT); CREATE ROLE r{fresh_name} LOGIN", fresh_name)
    theirs = Pattern("theirs", 1, (Statement("SELECT id FROM things"),))

    async def main():
        async with open_scene(postgres_url) as scene:
            address = scene.server.address
            limited = address.load.set(username=f"r{fresh_name}")
            scene.server.address = type(address)(
                address.kind, address.control, limited, address.host, address.port, address.shown
            )
            return await run_patterns(scene, (theirs,), name="test", rate=50, hold=0.5, timeout=1)

    assert codes(asyncio.run(main()), "theirs") == {"42501 access"}
    postgres_server.sql(f"DROP ROLE r{fresh_name}", fresh_name)


def test_a_pattern_that_may_not_write_is_refused_beside_one_that_may(database_url):
    sly = Pattern("sly", 1, (BUMP,))
    honest = Pattern("honest", 1, (BUMP,), writes=True)
    outcome, total = run(
        database_url, sly, honest, guarded=True, setup=(TABLE, *FEW), hold=0.5, timeout=3.0,
        left=lambda server: int(server.scalar("SELECT SUM(v) FROM things")),
    )  # fmt: skip
    assert total == outcome.counts.get("honest.rows", 0) > 0
    assert held(outcome, "sly").failed == held(outcome, "sly").count > 0


def test_where_no_pattern_may_write_the_sessions_are_read_only(postgres_url):
    outcome, total = run(
        postgres_url, Pattern("sly", 1, (BUMP,)), guarded=True, setup=(TABLE, *FEW), hold=0.3,
        left=lambda server: int(server.scalar("SELECT SUM(v) FROM things")),
    )  # fmt: skip
    assert (total, codes(outcome, "sly")) == (0, {"25006 access"})


BUMPING = "UPDATE things SET v = v + 1 WHERE id = 1; RETURN 1; END"
DISGUISED = {
    "postgresql": (
        "CREATE FUNCTION disguised() RETURNS int LANGUAGE plpgsql AS "
        f"$$ BEGIN PERFORM set_config('transaction_read_only', 'off', false); {BUMPING} $$; "
        "CREATE FUNCTION unlocked() RETURNS int LANGUAGE sql AS "
        "$$ SELECT set_config('default_transaction_read_only', 'off', false); SELECT 1 $$"
    ),
    "mysql": f"CREATE FUNCTION disguised() RETURNS int DETERMINISTIC BEGIN {BUMPING}",
}
UNLOCKED = {
    "postgresql": "SELECT 1",
    "mysql": (
        "CREATE FUNCTION unlocked() RETURNS int DETERMINISTIC BEGIN SET tx_read_only = 0; RETURN 1; END"
    ),
}


@pytest.mark.parametrize("others", [(), (Pattern("honest", 1, (BUMP,), writes=True),)])
def test_no_function_lifts_the_guard_for_itself_or_others(database_url, others):
    kind = database_url.partition(":")[0].partition("+")[0]
    if kind == "sqlite":
        pytest.skip("it has no functions of its own")
    unlocking = Pattern("unlocking", 1, (Statement("SELECT unlocked()"),))
    sly = Pattern("sly", 1, (Statement("SELECT disguised()"),))
    outcome, total = run(
        database_url, unlocking, sly, *others, guarded=True, timeout=5.0,
        setup=(TABLE, *FEW, DISGUISED[kind], UNLOCKED[kind]),
        left=lambda server: int(server.scalar("SELECT SUM(v) FROM things")),
    )  # fmt: skip
    assert total == outcome.counts.get("honest.rows", 0)
    assert (held(outcome, "sly").failed, held(outcome, "unlocking").failed) == (held(outcome, "sly").count, 0)


@pytest.fixture
def own_postgres():
    server = Postgres()
    yield server
    server.end()


def test_a_server_that_dies_gives_errors_and_an_end(own_postgres):
    url = own_postgres.database("target")

    async def kill(_):
        await asyncio.to_thread(own_postgres.kill)

    outcome, _ = run(
        url, Pattern("look", 1, (LOOKUP,)), setup=(TABLE, *FEW), during=kill, hold=2.5, timeout=1.0
    )
    kinds = set(held(outcome, "look").errors)
    assert ErrorKind.CONNECT in kinds
    assert kinds <= {ErrorKind.CONNECT, ErrorKind.RESET, ErrorKind.TIMEOUT}
    assert outcome.generator.workers_lost == 0


def test_a_frozen_server_is_given_up_in_time(own_postgres):
    url = own_postgres.database("target")

    async def freeze(_):
        with own_postgres.frozen():
            await asyncio.sleep(2.0)

    outcome, _ = run(
        url, Pattern("look", 1, (LOOKUP,)), setup=(TABLE, *FEW), during=freeze, rate=20, hold=3.5, timeout=0.5
    )
    assert held(outcome, "look").errors[ErrorKind.TIMEOUT] >= 1
    assert codes(outcome, "look") & {"statement timeout: no word from the server"}


def test_no_session_of_ours_is_left(postgres_server, postgres_url, fresh_name):
    run(postgres_url, Pattern("look", 1, (LOOKUP,)), setup=(TABLE, *FEW), hold=0.5)
    asked = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{fresh_name}'"  # noqa: S608
    wait_until(lambda: postgres_server.sql(asked) == "0", seconds=5)


@pytest.mark.parametrize("server", ["postgres", "mariadb"])
def test_a_stopped_run_ends_soon_whatever_is_under_way(server, request):
    url = request.getfixturevalue(f"{server}_url")

    async def stop(scene):
        scene.context.stop.request()

    endless = Pattern("endless", 1, (Statement(WORKING[kind_of(url)]),))
    outcome, going_on = run(
        url, endless, users=2, hold=60.0, timeout=30.0, during=stop,
        left=lambda server: wait_until(lambda: not busy(server), seconds=5),
    )  # fmt: skip
    assert outcome.hold_seconds < 5
    assert going_on is True


KILLED = """
import asyncio, sys
from phases.database.running.work import Work
from phases.database.running.workshop import Workshop

async def main():
    held = await Workshop(Work(sys.argv[1], "PostgreSQL", "campaign/dead", (), 1, 60.0)).take()
    await held.link.say("SELECT pg_sleep(600)")

asyncio.run(main())
"""


def test_postgresql_ends_the_statements_of_a_process_that_was_killed(postgres_url):
    server = open_server(read_address(postgres_url), tag="test")
    sleeping = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'campaign/dead' AND state = 'active'"
    )
    child = subprocess.Popen([sys.executable, "-c", KILLED, postgres_url])
    try:
        wait_until(lambda: server.scalar(sleeping) == 1, seconds=10)
    finally:
        child.kill()
        child.wait()
    wait_until(lambda: server.scalar(sleeping) == 0, seconds=5)
    server.close()
