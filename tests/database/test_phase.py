"""The phase as a whole: what its parts may not hide from one another."""

import asyncio

import pytest
from scene import make_context, run_phase, settings_of
from servers import Postgres

from campaign.records import Evidence, Outcome, Severity
from campaign.target.spec import TargetSpec
from phases.database.collect import run_parts
from phases.database.judge import judge_database

ALL = [
    "workload", "queries", "catalogue", "pool", "isolation", "invariants", "durability", "recovery", "cache",
    "service",
]  # fmt: skip


def only(*names, **sections):
    return settings_of(skip=[each for each in ALL if each not in names], **sections)


def judged(evidence, settings):
    return {each.check: each for each in judge_database(evidence, settings)}


@pytest.mark.postgres
def test_a_server_that_was_restarted_meanwhile_fails():
    server = Postgres()
    url = server.database("restarted")
    settings = only("isolation", "invariants", invariants={"seconds": "0.3s"}, isolation={"load": False})

    async def run():
        context = make_context(settings, stores={"database": url})
        phase = asyncio.create_task(run_parts(context))
        async with asyncio.timeout(20):
            while not any("invariants" in each.message for each in context.record.told):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await asyncio.to_thread(server.crash)
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(60):
            await phase
        return context.record.evidence

    try:
        found = judged(asyncio.run(run()), settings)
    finally:
        server.end()
    assert found["database.kept_running"].outcome is Outcome.FAILED


@pytest.mark.postgres
def test_a_server_that_kept_running_passes(postgres_url):
    settings = only("durability")
    found = judged(run_phase(settings, stores={"database": postgres_url}), settings)
    assert found["database.kept_running"].outcome is Outcome.PASSED


def test_a_part_without_its_store_is_not_applicable_unless_the_file_names_it():
    evidence = Evidence(facts={"stores": ["database"], "named": [], "trouble": {"cache": "no Redis"}})
    found = judged(evidence, only("cache"))
    assert {name: each.outcome for name, each in found.items()} == {"cache": Outcome.NOT_APPLICABLE}
    named = Evidence(facts={**evidence.facts, "named": ["cache"]})
    done = judged(named, only("cache"))["cache.done"]
    assert (done.outcome, done.severity) == (Outcome.INCONCLUSIVE, Severity.BLOCKER)


def test_a_part_that_broke_off_is_an_undecided_blocker():
    evidence = Evidence(facts={"stores": ["database"], "trouble": {"durability": "it broke off"}})
    done = judged(evidence, only("durability"))["durability.done"]
    assert (done.outcome, done.severity) == (Outcome.INCONCLUSIVE, Severity.BLOCKER)


def test_an_account_that_may_make_no_tables_leaves_those_parts_undecided(
    postgres_server, postgres_url, fresh_name
):
    postgres_server.sql(f"CREATE ROLE r_{fresh_name} LOGIN")
    try:
        url = postgres_url.replace("postgres@", f"r_{fresh_name}@")
        settings = only("isolation", "catalogue")
        found = judged(run_phase(settings, stores={"database": url}), settings)
    finally:
        postgres_server.sql(f"DROP ROLE r_{fresh_name}")
    assert "may make no tables of our own" in found["isolation.done"].message
    assert "catalogue.done" not in found


def test_an_account_with_two_connections_is_left_with_no_session_and_no_table_of_ours(
    postgres_server, postgres_url, fresh_name
):
    name = postgres_url.rpartition("/")[2]
    postgres_server.sql(f"CREATE ROLE r_{fresh_name} LOGIN CONNECTION LIMIT 2")
    postgres_server.sql(f"GRANT CREATE ON DATABASE {name} TO r_{fresh_name}")
    settings = only("isolation")
    try:
        url = postgres_url.replace("postgres@", f"r_{fresh_name}@")
        found = judged(run_phase(settings, stores={"database": url}), settings)
        at_work = postgres_server.sql("SELECT usename FROM pg_stat_activity WHERE usename <> ''").split()
    finally:
        postgres_server.sql(f"REVOKE CREATE ON DATABASE {name} FROM r_{fresh_name}")
        postgres_server.sql(f"DROP ROLE r_{fresh_name}")
    assert "too many connections" in found["isolation.done"].message
    assert (found["territory.dropped"].outcome, found["database.kept_running"].outcome) == (
        Outcome.PASSED,
        Outcome.PASSED,
    )
    assert f"r_{fresh_name}" not in at_work


def test_a_server_that_takes_no_further_session_is_not_said_to_be_gone():
    evidence = Evidence(facts={"stores": ["database"], "kept_running": "full", "durability": {}})
    assert judged(evidence, only("durability"))["database.kept_running"].outcome is Outcome.INCONCLUSIVE


def test_nothing_is_written_in_production(sqlite_url):
    settings = only("isolation")
    target = TargetSpec("http://127.0.0.1:9", environment="production", stores={"database": sqlite_url})
    found = judged(run_phase(settings, stores={}, target=target), settings)
    assert "where nothing is written" in found["isolation.done"].message
