"""The ten anomalies on real databases: equal to the published tables, and judged by what is declared."""

import pytest
from scene import run_phase, settings_of
from servers import MariaDb
from sqlalchemy import text

from campaign.database.address import read_address
from campaign.database.server import open_server
from campaign.database.sessions import own_sessions
from campaign.records import Evidence, Outcome
from phases.database.isolation.anomalies import ALL, Anomaly
from phases.database.isolation.judge import judge_isolation

SKIPPED = [
    "workload", "queries", "catalogue", "pool", "invariants", "durability", "recovery", "cache", "service"
]  # fmt: skip
COMMITTED = {"PMP", "P4", "G-single", "G2-item", "G2"}
"""What happens at read committed, on every database."""

HAPPENS = {
    "postgres": {"read committed": COMMITTED, "repeatable read": {"G2-item", "G2"}, "serializable": set()},
    "mariadb": {
        "read uncommitted": set(map(str, ALL)) - {"G0"},
        "read committed": COMMITTED,
        "repeatable read": {"P4", "G2-item", "G2"},
        "serializable": set(),
    },
    "sqlite": {"deferred": set(), "immediate": set(), "python default": COMMITTED},
}
"""Hermitage's tables, and what is said of MariaDB 10.11 and SQLite 3.40 in docs/isolation.md."""


def see(url, **isolation):
    settings = settings_of(skip=SKIPPED, isolation={"load": False, **isolation})
    evidence = run_phase(settings, stores={"database": url}, seconds=100)
    assert evidence.facts.get("trouble") is None
    findings = {each.check: each for each in judge_isolation(evidence, settings.isolation)}
    return evidence.facts["isolation"], findings


def happened(seen):
    return {name for name, each in seen.items() if each["result"] == "happened"}


def idle(facts):
    return {level: happened(each["idle"]) for level, each in facts["levels"].items()}


def left_behind(url):
    server = open_server(read_address(url), tag="somebody else")
    try:
        names = [each.application for each in own_sessions(server)]
        with server.reading() as connection:
            tables = connection.execute(text(_TABLES[server.kind.value])).scalar()
        return names, tables
    finally:
        server.close()


_TABLES = {
    "postgresql": "SELECT COUNT(*) FROM pg_namespace WHERE nspname LIKE 'campaign%'",
    "mysql": "SELECT COUNT(*) FROM information_schema.tables WHERE table_name LIKE 'campaign%'",
    "sqlite": "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'campaign%'",
}


@pytest.mark.parametrize("database", HAPPENS)
def test_every_level_is_as_published_and_nothing_is_left(database, request):
    url = request.getfixturevalue(f"{database}_url")
    facts, findings = see(url)
    assert idle(facts) == HAPPENS[database]
    tables = [each for check, each in findings.items() if check.startswith("isolation.table.")]
    assert {each.outcome for each in tables} == {Outcome.PASSED}
    assert all(each["seconds"] < 10 for each in facts["levels"].values())
    assert left_behind(url) == ([], 0)


@pytest.mark.parametrize(
    ("database", "level"),
    [("postgres", "repeatable read"), ("mariadb", "repeatable read"), ("sqlite", "python default")],
)
def test_under_load_the_same_happens(database, level, request):
    facts, findings = see(request.getfixturevalue(f"{database}_url"), load=True, levels=[level], repeats=2)
    seen = facts["levels"][level]
    assert happened(seen["under load"]) == HAPPENS[database][level]
    assert seen["transactions"] > 10
    assert findings[f"isolation.table.{level.replace(' ', '_')}"].outcome is Outcome.PASSED


@pytest.mark.mariadb
def test_mariadb_with_snapshot_isolation_loses_no_update(fresh_name):
    server = MariaDb(innodb_snapshot_isolation="ON")
    try:
        facts, _ = see(server.database(fresh_name), levels=["repeatable read"])
    finally:
        server.end()
    assert idle(facts) == {"repeatable read": {"G2-item", "G2"}}
    assert facts["published"]["source"].endswith("on")


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("require", "level", "outcome"),
    [
        ("no lost update", "", Outcome.FAILED),
        ("read committed", "", Outcome.PASSED),
        ("no lost update", "repeatable read", Outcome.PASSED),
        ("serializable", "repeatable read", Outcome.FAILED),
        ("serializable", "serializable", Outcome.PASSED),
    ],
)
def test_what_the_service_relies_on_decides(postgres_url, require, level, outcome):
    _, findings = see(postgres_url, require=require, level=level)
    found = findings[f"isolation.require.{require.replace(' ', '_')}"]
    assert (found.outcome, found.severity) == (outcome, "blocker")


@pytest.mark.postgres
def test_the_default_level_of_the_database_is_the_one_that_counts(postgres_server, postgres_url, fresh_name):
    postgres_server.sql(f"ALTER DATABASE {fresh_name} SET default_transaction_isolation = 'serializable'")
    facts, findings = see(postgres_url, require="serializable")
    assert facts["service_level"] == "serializable"
    assert findings["isolation.require.serializable"].outcome is Outcome.PASSED


def evidence(*, idle=None, **facts):
    level = {
        "idle": {each.value: {"result": "prevented", "how": "snapshot"} for each in Anomaly} | (idle or {})
    }
    known = {"product": "X", "versions": "1", "source": "us", "prevented": {"serializable": sorted(ALL)}}
    levels = {"serializable": level}
    there = {"server": "X 1", "service_level": "serializable", "published": known, "levels": levels, **facts}
    return Evidence(facts={"isolation": there})


def outcomes(evidence, **isolation):
    settings = settings_of(isolation={"load": False, **isolation}).isolation
    return {each.check: each.outcome for each in judge_isolation(evidence, settings)}


def test_a_database_that_breaks_its_own_table_fails():
    broken = evidence(idle={"P4": {"result": "happened", "how": "both committed"}})
    assert outcomes(broken) == {
        "isolation.table.serializable": Outcome.FAILED, "isolation.service_level": Outcome.INFORMATIONAL
    }  # fmt: skip


def test_a_version_that_the_table_is_not_of_is_not_accused():
    known = {"product": "X", "versions": "1", "source": "us", "covers": False,
             "prevented": {"serializable": sorted(ALL)}}  # fmt: skip
    newer = evidence(idle={"P4": {"result": "happened", "how": "both committed"}}, published=known)
    assert outcomes(newer)["isolation.table.serializable"] is Outcome.INCONCLUSIVE
    assert outcomes(newer, require="no lost update")["isolation.require.no_lost_update"] is Outcome.FAILED


def test_sqlite_is_held_against_the_way_a_python_service_gets_it(sqlite_url):
    facts, findings = see(sqlite_url, require="no lost update")
    assert facts["service_level"] == "python default"
    assert findings["isolation.require.no_lost_update"].outcome is Outcome.FAILED
    _, findings = see(sqlite_url, require="no lost update", level="immediate")
    assert findings["isolation.require.no_lost_update"].outcome is Outcome.PASSED


def test_what_was_not_exercised_proves_nothing():
    unknown = evidence(idle={"G2": {"result": "not exercised", "how": "a session failed"}})
    assert outcomes(unknown, require="serializable") == {
        "isolation.require.serializable": Outcome.INCONCLUSIVE,
        "isolation.table.serializable": Outcome.INCONCLUSIVE,
    }


def test_a_condition_that_was_planned_and_is_missing_proves_nothing():
    assert outcomes(evidence(), require="serializable", load=True)["isolation.require.serializable"] is (
        Outcome.INCONCLUSIVE
    )


def test_what_was_never_reached_is_undecided():
    assert outcomes(Evidence(), require=["no lost update", "P4"]) == {
        "isolation.require.no_lost_update": Outcome.INCONCLUSIVE,
        "isolation.require.P4": Outcome.INCONCLUSIVE,
        "isolation.table": Outcome.INCONCLUSIVE,
    }
