"""The user's own statements on real servers: figures, plans, and each way in which one can be wrong."""

import asyncio

import pytest
from scene import open_scene, run_phase, settings_of

from campaign.database.address import kind_of, read_address
from campaign.database.server import open_server
from campaign.database.sessions import sessions
from campaign.records import Evidence, Outcome, Severity
from phases.database.queries.part import QueriesPart
from phases.database.running.run import work_on
from phases.database.running.trial import refused
from phases.database.settings import DatabaseSettings

OTHERS = [
    "workload", "catalogue", "pool", "isolation", "invariants", "durability", "recovery", "cache", "service",
]  # fmt: skip
FILL = {
    "postgresql": "SELECT g, g % 500 FROM generate_series(1, 5000) g",
    "mysql": "SELECT seq, seq % 500 FROM seq_1_to_5000",
    "sqlite": "WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c LIMIT 5000) "
    "SELECT n, n % 500 FROM c",
}


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A busy machine is no matter of these tests."""
    for name in ("MAX_LOOP_LAG", "MAX_SCHEDULE_LAG", "MAX_FREEZE", "MAX_PAUSE", "MAX_STOLEN"):
        monkeypatch.setattr(f"campaign.load.generator.{name}", 60.0)


@pytest.fixture
def filled(database_url):
    """The URL of a database with 5,000 children of 500 parents, and no index on the parents."""
    fill(database_url)
    return database_url


def fill(url):
    server = open_server(read_address(url), tag="test")
    server.run("CREATE TABLE children (id INTEGER PRIMARY KEY, parent_id INTEGER)")
    with server.writing() as connection:
        raw = connection.connection.cursor()
        raw.execute(f"INSERT INTO children {FILL[server.kind.value]}")
        raw.close()
    if server.kind.value != "sqlite":
        server.run("ANALYZE children" if server.kind.value == "postgresql" else "ANALYZE TABLE children")
    server.close()


def run(url, *, hold="1s", **queries):
    return run_with(url, {"hold": hold}, **queries)


def run_with(url, querying, **queries):
    """The evidence and the findings by name."""
    querying = {"warm_up": "700ms", "users": 2, "hold": "1s", **querying}
    settings = settings_of(skip=OTHERS, queries=queries, querying=querying)
    evidence = run_phase(settings, stores={"database": url})
    assert "queries" in evidence.facts, evidence.facts
    findings = QueriesPart().judge(evidence, settings)
    return evidence.facts["queries"], {each.check.removeprefix("queries."): each for each in findings}


def outcomes(findings):
    return {name: each.outcome.value for name, each in findings.items()}


def test_a_healthy_query_passes_one_without_an_index_and_a_misspelt_one_do_not(filled):
    facts, findings = run(
        filled,
        by_id={"sql": "SELECT * FROM children WHERE id = :id", "params": {"id": "{{ random.int(1, 5000) }}"}},
        by_parent={
            "sql": "SELECT * FROM children WHERE parent_id = :p",
            "params": {"p": [1, 2, 3]},
            "weight": 3,
        },
        wrong={"sql": "SELECT naem FROM children"},
    )
    assert outcomes(findings) == {
        "by_id.mean": "passed",
        "by_id.error_rate": "passed",
        "by_id.index": "passed",
        "by_parent.mean": "passed",
        "by_parent.error_rate": "passed",
        "by_parent.index": "failed",
        "wrong.mean": "not_applicable",
        "wrong.error_rate": "failed",
        "wrong.index": "not_applicable",
        "server_count": "informational",
    }
    found = findings["by_parent.index"]
    assert found.severity is Severity.IMPORTANT
    assert found.message.startswith("by_parent: an index on children (parent_id) is missing: ")
    assert found.message.endswith("5,000 rows read for 10")
    message = findings["wrong.error_rate"].message
    assert message.startswith("wrong has a mistake in its statement: error (")
    assert "naem" in message
    assert message.endswith("(it was tried once, and not run further)")
    assert not facts["errors"]
    counts = {row["name"]: row["count"] for row in facts["patterns"]}
    assert counts["by_parent"] > counts["by_id"] > 0
    assert facts["plans"]["by_parent"]["text"]


def test_where_every_statement_has_a_mistake_nothing_is_run(database_url):
    facts, findings = run(
        database_url,
        nowhere={"sql": "SELECT id FROM nowhere"},
        garbled={"sql": "SELECT FROM WHERE 1"},
        gone={"sql": "UPDATE nowhere SET a = 1", "writes": True, "limits": {"p95": "1s"}},
    )
    assert set(facts) == {"mistakes"}
    failing = [name for name, each in findings.items() if each.outcome is Outcome.FAILED]
    assert failing == ["nowhere.error_rate", "garbled.error_rate", "gone.error_rate"]
    assert {each.outcome for each in findings.values()} == {Outcome.FAILED, Outcome.NOT_APPLICABLE}


def test_trying_a_statement_changes_nothing(filled):
    """What writes is rolled back; what fails by its rows alone is left to the run."""
    settings = settings_of(
        skip=OTHERS,
        queries={
            "move": {"sql": "UPDATE children SET parent_id = 9999", "writes": True},
            "again": {"sql": "INSERT INTO children VALUES (1, 1)", "writes": True},
        },
    )

    async def tried():
        async with open_scene(filled, settings) as scene:
            patterns = tuple(each.pattern(name) for name, each in settings.queries.items())
            work = work_on(scene.server, patterns, connections=1, timeout=5.0, most_rows=100, guarded=True)
            found = await refused(scene, work)
            return found, await asyncio.to_thread(
                scene.server.scalar, "SELECT COUNT(*) FROM children WHERE parent_id = 9999"
            )

    assert asyncio.run(tried()) == ({}, 0)


def test_a_slow_query_misses_its_limit_and_its_plan_is_kept(postgres_url):
    facts, findings = run(
        postgres_url,
        nap={"sql": "SELECT pg_sleep(0.06)"},
        patient={"sql": "SELECT pg_sleep(0.01)", "limits": {"mean": "500ms", "p95": "1ms"}},
    )
    assert outcomes(findings)["nap.mean"] == "failed"
    assert outcomes(findings)["patient.mean"] == "passed"
    assert outcomes(findings)["patient.p95"] == "failed"
    assert all(facts["plans"][name]["text"] for name in ("nap", "patient"))


def test_a_statement_that_never_returns_is_ended_on_the_server_too(postgres_url):
    _, findings = run_with(postgres_url, {"timeout": "300ms"}, never={"sql": "SELECT pg_sleep(3600)"})
    assert outcomes(findings)["never.error_rate"] == "failed"
    assert outcomes(findings)["never.mean"] == "failed"
    assert "statement timeout" in findings["never.error_rate"].message
    server = open_server(read_address(postgres_url), tag="test")
    assert [each.statement for each in sessions(server) if "pg_sleep" in each.statement] == []
    server.close()


def test_a_huge_result_is_not_read(postgres_url):
    _, findings = run(postgres_url, huge={"sql": "SELECT repeat('x', 1000) FROM generate_series(1, 50000)"})
    assert "more than 10,000 rows" in findings["huge.error_rate"].message


LARGE = {
    "postgresql": "SELECT repeat('x', 1000000) FROM generate_series(1, 300)",
    "mysql": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
    "SELECT repeat('x', 1000000) AS said FROM n",
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
    "SELECT hex(zeroblob(500000)) FROM n",
}


def test_a_few_rows_that_are_huge_are_not_read_either(database_url):
    _, findings = run(database_url, huge={"sql": LARGE[kind_of(database_url).value]})
    assert "more than 64 MiB" in findings["huge.error_rate"].message


SNEAKY = {
    "postgresql": "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'DELETE FROM children RETURNING 1'",
    "mysql": "CREATE FUNCTION sneak() RETURNS INTEGER BEGIN DELETE FROM children; RETURN 1; END",
    "sqlite": "CREATE VIEW nothing AS SELECT 1",
}


@pytest.mark.parametrize("alone", [True, False])
def test_the_server_refuses_what_writes_behind_our_back(filled, alone):
    """Also beside a statement that may write."""
    server = open_server(read_address(filled), tag="test")
    if server.kind.value == "sqlite":
        server.close()
        pytest.skip("SQLite has no functions that write")
    server.run(SNEAKY[server.kind.value])
    move = {"sql": "UPDATE children SET parent_id = 1000 WHERE id = :id", "params": {"id": 7}, "writes": True}
    queries = {"sneaky": {"sql": "SELECT sneak()"}, **({} if alone else {"move": move})}
    _, findings = run(filled, **queries)
    assert "READ ONLY transaction" in findings["sneaky.error_rate"].message.replace("read-only", "READ ONLY")
    assert server.scalar("SELECT count(*) FROM children") == 5000
    assert alone or server.scalar("SELECT parent_id FROM children WHERE id = 7") == 1000
    assert alone or outcomes(findings)["move.error_rate"] == "passed"
    server.close()


def test_what_says_that_it_writes_may_on_sqlite_too(sqlite_url):
    fill(sqlite_url)
    move = {"sql": "UPDATE children SET parent_id = 1000 WHERE id = :id", "params": {"id": 7}, "writes": True}
    _, findings = run(sqlite_url, move=move)
    assert outcomes(findings)["move.error_rate"] == "passed"
    server = open_server(read_address(sqlite_url), tag="test")
    assert server.scalar("SELECT parent_id FROM children WHERE id = 7") == 1000
    server.close()


def test_a_user_who_may_not_read_is_told_so(postgres_server, postgres_url):
    fill(postgres_url)
    postgres_server.sql("CREATE ROLE nobody_much LOGIN")
    try:
        url = postgres_url.replace("postgres@", "nobody_much@")
        _, findings = run(url, all_of_them={"sql": "SELECT count(*) FROM children"})
        message = findings["all_of_them.error_rate"].message
        assert "42501" in message
        assert "permission denied" in message
    finally:
        postgres_server.sql("DROP OWNED BY nobody_much; DROP ROLE nobody_much")


def test_python_is_given_the_drivers_connection(postgres_url, tmp_path):
    (tmp_path / "own_piece.py").write_text(
        "async def count(connection):\n    await connection.fetchval('SELECT 1')\n"
    )
    settings = DatabaseSettings.model_validate(
        {
            "skip": OTHERS,
            "queries": {"piece": {"python": "own_piece.count"}},
            "querying": {"hold": "1s", "warm_up": "700ms", "users": 2},
        },
        context={"folder": tmp_path, "environment": "staging"},
    )
    evidence = run_phase(settings, stores={"database": postgres_url})
    findings = {each.check: each.outcome.value for each in QueriesPart().judge(evidence, settings)}
    assert findings["queries.piece.error_rate"] == "passed"
    assert "queries.piece.index" not in findings


def test_what_was_never_reached_is_undecided():
    settings = settings_of(queries={"one": {"sql": "SELECT 1"}})
    found = {each.check: each.outcome for each in QueriesPart().judge(Evidence(), settings)}
    assert found == dict.fromkeys(
        ("queries.one.mean", "queries.one.error_rate", "queries.one.index"), Outcome.INCONCLUSIVE
    )
    assert not QueriesPart().wanted(settings_of())
