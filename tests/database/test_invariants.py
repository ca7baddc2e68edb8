"""The invariants on real databases: they hold where transactions are right, and each check can fail."""

import asyncio
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import make_context, run_phase, settings_of
from servers import wait_until
from sqlalchemy import select, update

from campaign.database.address import read_address
from campaign.database.server import open_server, tag_of
from campaign.database.sessions import sessions
from campaign.database.territory import claim, places
from campaign.records import Evidence, Outcome, PhaseResult, Severity, Status
from campaign.report.html import _own_part
from phases.database.collect import run_parts
from phases.database.invariants import killed, races, transfers
from phases.database.invariants.atomicity import end_on_server, run_ended_sessions
from phases.database.invariants.bench import Bench
from phases.database.invariants.changes import Changes, together
from phases.database.invariants.demands import level_of, required_of
from phases.database.invariants.history import Status as End
from phases.database.invariants.judge import CHECKS
from phases.database.invariants.killed import run_killed_clients
from phases.database.invariants.part import InvariantsPart
from phases.database.invariants.promises import Anomaly, required
from phases.database.invariants.races import run_check_constraint, run_foreign_key, run_unique_key
from phases.database.invariants.transfers import locking_teller, run_transfers, write_back
from phases.database.isolation.anomalies import FORBIDDEN
from phases.database.scene import TROUBLE
from phases.database.settings import PartName

OTHERS = sorted(set(get_args(PartName)) - {"invariants"})
PART = InvariantsPart()


def asked(**said):
    return settings_of(skip=OTHERS, invariants={"seconds": "200ms", **said})


def findings(evidence, settings):
    return {each.check.partition(".")[2]: each for each in PART.judge(evidence, settings)}


@pytest.fixture
def bench(database_url):
    """A bench on each of the three databases, with time enough for a violation to show."""
    yield from _bench(database_url)


@pytest.fixture(params=["postgres", "mariadb"])
def server_bench(request):
    """A bench on each of the two that let writers work at once."""
    yield from _bench(request.getfixturevalue(f"{request.param}_url"))


def _bench(url):
    server = open_server(read_address(url), tag=tag_of("test"))
    made = Bench(server, claim(server), level="default", workers=4, seconds=0.3, seed=7, halted=lambda: False)
    yield made
    made.close()
    made.territory.drop()
    server.close()


def test_all_hold_on_a_healthy_database_and_nothing_of_ours_is_left(database_url):
    settings = asked()
    evidence = run_phase(settings, stores={"database": database_url})
    assert {name: each.outcome for name, each in findings(evidence, settings).items()} == dict.fromkeys(
        CHECKS, Outcome.PASSED
    )
    server = open_server(read_address(database_url), tag=tag_of("test"))
    try:
        assert places(server) == {}
        wait_until(lambda: not sessions(server), seconds=5)
    finally:
        server.close()


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_stronger_levels_of_postgresql_keep_what_they_promise(postgres_url, level):
    settings = asked(level=level)
    evidence = run_phase(settings, stores={"database": postgres_url})
    found = findings(evidence, settings)
    assert evidence.facts["invariants"]["level"] == level.upper()
    assert {name: each.outcome for name, each in found.items()} == dict.fromkeys(CHECKS, Outcome.PASSED)


def test_read_committed_fails_a_service_that_relies_on_serializable(postgres_url):
    settings = asked(require="serializable", seconds="300ms")
    evidence = run_phase(settings, stores={"database": postgres_url})
    history = findings(evidence, settings)["history"]
    assert (history.outcome, history.severity) == (Outcome.FAILED, Severity.BLOCKER)
    assert "stale read" in history.message
    assert " -rw " in history.message
    calm = findings(evidence, asked())["history"]
    assert calm.outcome is Outcome.PASSED
    assert "allowed at this level, and seen: " in calm.message


def test_aborted_appends_that_were_read_fail_a_service_that_needs_committed_reads(mariadb_url):
    settings = asked(level="read uncommitted", require="read committed", seconds="400ms")
    history = findings(run_phase(settings, stores={"database": mariadb_url}), settings)["history"]
    assert history.outcome is Outcome.FAILED
    assert "an aborted append was read (G1a)" in history.message


THINKING = 0.004
"""Seconds that an application takes between what it read and what it writes."""


def careless(connection, accounts, transfer):
    """A teller that reads without locks."""
    found = connection.execute(select(accounts).where(accounts.c.id.in_((transfer.source, transfer.target))))
    balances = {row.id: row.balance for row in found}
    time.sleep(THINKING)
    return write_back(connection, accounts, transfer, balances=balances)


def hasty(connection, accounts, transfer):
    """A teller that looks first, then takes without looking again."""
    own = select(accounts.c.balance).where(accounts.c.id == transfer.source)
    if connection.execute(own).scalar_one() < transfer.amount:
        return False
    time.sleep(THINKING)
    for number, change in sorted(((transfer.source, -transfer.amount), (transfer.target, transfer.amount))):
        moved = update(accounts).where(accounts.c.id == number)
        connection.execute(moved.values(balance=accounts.c.balance + change))
    return True


def test_money_lost_by_a_careless_teller_is_found(server_bench):
    server_bench.seconds = 1.0
    found = run_transfers(server_bench, accounts=6, teller=careless)
    assert found["violations"]["balances that are not the sum of their transfers"]
    assert found["violations"]["wrong total"]
    assert any("the total was" in each for each in found["examples"])


def test_a_negative_balance_is_found_though_the_total_is_right(server_bench):
    server_bench.seconds = 1.0
    found = run_transfers(server_bench, accounts=2, teller=hasty)
    assert set(found["violations"]) == {"negative balance"}


def test_lost_and_unexpected_rows_are_found(bench):
    def thief(connection, accounts, transfer):
        connection.execute(accounts.delete().where(accounts.c.id == 0))
        connection.execute(accounts.insert(), {"id": 99, "balance": 100})
        return False

    found = run_transfers(bench, accounts=3, teller=thief)
    assert {"missing rows", "unexpected rows"} <= set(found["violations"])


def test_half_a_transaction_that_stays_is_found(bench):
    def broken(own, connection):
        connection.connection.commit()  # as an application does that commits in between
        end_on_server(own, connection)

    found = run_ended_sessions(bench, cut=broken)
    assert found["violations"]["transactions of which a part is there"] == found["middle"] > 0
    assert "2 of 4 rows" in found["examples"][0]


def test_sessions_that_did_not_end_prove_nothing(bench):
    found = run_ended_sessions(bench, cut=lambda own, connection: None)
    assert found["middle"] == 0
    facts = {"invariants": {"level": "READ COMMITTED", "checks": {"ended_session": found}}}
    ended = findings(Evidence(facts=facts), asked())["ended_session"]
    assert ended.outcome is Outcome.INCONCLUSIVE
    assert "no transaction was ended in its middle" in ended.message


AUTOCOMMIT = """
from functools import partial
from pathlib import Path
import phases.database.invariants.client as client
client.create_engine = partial(client.create_engine, isolation_level="AUTOCOMMIT")
client.main()
"""


def test_what_a_killed_client_left_half_done_is_found(bench, monkeypatch):
    monkeypatch.setattr(killed, "CLIENT", (sys.executable, "-c", AUTOCOMMIT))
    found = run_killed_clients(bench)
    assert found["violations"]["transactions of which a part is there"] == found["middle"] > 0


def test_a_client_that_cannot_begin_proves_nothing(server_bench, monkeypatch):
    monkeypatch.setattr(killed, "CLIENT", (sys.executable, "-c", "raise SystemExit('no memory')"))
    found = run_killed_clients(server_bench)
    assert (found["middle"], found["failures"]) == (0, {"no memory": 1})


def test_orphans_are_found_where_there_is_no_foreign_key(bench):
    found = run_foreign_key(bench, constrained=False)
    assert found["violations"]["orphans"] > 0
    assert "has no parent" in found["examples"][0]


def test_a_key_given_to_several_is_found_where_it_is_not_unique(bench):
    found = run_unique_key(bench, constrained=False)
    assert set(found["violations"]) == {"keys stored twice", "keys confirmed to several"}


def test_a_stock_below_zero_is_found_where_there_is_no_check(bench):
    found = run_check_constraint(bench, constrained=False)
    assert found["violations"]["stocks below 0"] > 0


def unanswered(monkeypatch, module, *, lying=False):
    """One commit gets no answer; `lying`: what was refused counts as confirmed."""
    unknown, real = [], module.attempt

    def attempted(connection, work, tally):
        status = real(connection, work, tally)
        if not unknown and status is End.OK and tally.commits == 3 and "found" not in work.keywords:
            unknown.append(work)
            tally.commits -= 1
            tally.unknown += 1
            return End.UNKNOWN
        return End.OK if lying and status is End.FAIL else status

    monkeypatch.setattr(module, "attempt", attempted)


def told_of(check, fact):
    facts = {"invariants": {"product": "PostgreSQL", "level": "READ COMMITTED", "checks": {check: fact}}}
    return findings(Evidence(facts=facts), asked())[check]


@pytest.mark.parametrize(("lying", "lost"), [(False, False), (True, True)])
def test_a_commit_without_an_answer_may_have_changed_a_stock_and_excuses_no_lost_change(
    bench, monkeypatch, lying, lost
):
    bench.workers = 1
    unanswered(monkeypatch, races, lying=lying)
    found = run_check_constraint(bench)
    assert (found["unknown"], bool(found["violations"].get("lost changes"))) == (1, lost)
    finding = told_of("check_constraint", found)
    assert (finding.outcome is Outcome.FAILED) is lost
    assert "1 of unknown end" in finding.message


def test_a_transfer_without_an_answer_may_have_happened_and_excuses_no_wrong_balance(bench, monkeypatch):
    bench.workers = 2
    unanswered(monkeypatch, transfers)
    found = run_transfers(bench, accounts=4)
    assert (found["unknown"], found["violations"]) == (1, {})

    def forgetful(connection, table, transfer):
        return transfer.source == 0 or locking_teller(connection, table, transfer)

    bench.territory.drop()
    bench.territory = claim(bench.server)
    lossy = run_transfers(bench, accounts=4, teller=forgetful)
    assert lossy["violations"]["balances that are not the sum of their transfers"]


@given(
    st.lists(st.tuples(st.sampled_from([End.OK, End.FAIL, End.UNKNOWN]), st.integers(-9, 9), st.booleans()))
)
def test_a_number_lies_between_what_it_is_with_and_without_the_unknown_changes(made):
    changes = together(Changes() for _ in range(2))
    for status, change, _ in made:
        changes.note(status, {0: change})
    happened = [
        change for status, change, there in made if status is End.OK or (status is End.UNKNOWN and there)
    ]
    value = 10 + sum(happened)
    assert changes.wrong({0: value}, 10) == {}
    every = sum(abs(change) for _, change, _ in made)
    assert set(changes.wrong({0: value + 2 * every + 1}, 10)) == {0}


@pytest.mark.parametrize(
    ("killed", "outcome"), [(0, Outcome.INCONCLUSIVE), (2, Outcome.INCONCLUSIVE), (3, Outcome.PASSED)]
)
def test_a_single_client_that_was_killed_proves_little(killed, outcome):
    finding = told_of("killed_client", {"commits": 5 * killed, "middle": killed})
    assert (finding.outcome, finding.severity) == (outcome, Severity.BLOCKER)


def test_however_short_the_time_three_clients_are_killed(bench):
    bench.seconds = 0.01
    assert run_killed_clients(bench)["middle"] == 3


def test_foreign_keys_that_a_server_does_not_enforce_fail_the_phase(mariadb_url, mariadb_server):
    mariadb_server.sql("SET GLOBAL foreign_key_checks = OFF", "")
    try:
        settings = asked()
        found = findings(run_phase(settings, stores={"database": mariadb_url}), settings)
    finally:
        mariadb_server.sql("SET GLOBAL foreign_key_checks = ON", "")
    assert {name for name, each in found.items() if each.outcome is Outcome.FAILED} == {"foreign_key"}
    assert "foreign_key_checks" in found["foreign_key"].remedy


def test_a_stop_ends_it_within_two_seconds_and_drops_the_tables(postgres_url):
    async def run():
        context = make_context(asked(seconds="60s"), stores={"database": postgres_url})
        phase = asyncio.create_task(run_parts(context))
        await asyncio.sleep(0.5)
        context.stop.request()
        began = time.monotonic()
        await phase
        return time.monotonic() - began, context.record.evidence

    seconds, evidence = asyncio.run(run())
    assert seconds < 2
    outcomes = {each.outcome for each in findings(evidence, asked()).values()}
    assert Outcome.INCONCLUSIVE in outcomes
    server = open_server(read_address(postgres_url), tag=tag_of("test"))
    try:
        assert places(server) == {}
    finally:
        server.close()


def test_a_server_that_dies_is_told_and_judged_undecided(postgres_url, postgres_server):
    def kill(url):
        wait_until(lambda: int(postgres_server.sql(_COUNT.format(name=url.rpartition("/")[2]))) > 4)
        postgres_server.crash()

    killer = threading.Thread(target=partial(kill, postgres_url))
    killer.start()
    settings = asked(seconds="2s")
    try:
        evidence = run_phase(settings, stores={"database": postgres_url})
    finally:
        killer.join()
        postgres_server.start()
    outcomes = {each.outcome for each in findings(evidence, settings).values()}
    assert outcomes <= {Outcome.INCONCLUSIVE, Outcome.PASSED}
    assert Outcome.INCONCLUSIVE in outcomes


_COUNT = "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"


def test_what_was_never_reached_is_undecided_and_says_why():
    found = findings(Evidence(facts={TROUBLE: {"invariants": "we may make no tables of our own"}}), asked())
    assert {name: (each.outcome, each.severity) for name, each in found.items()} == dict.fromkeys(
        CHECKS, (Outcome.INCONCLUSIVE, Severity.BLOCKER)
    )
    assert "we may make no tables of our own" in found["transfers"].message


@pytest.mark.parametrize("name", list(CHECKS))
def test_nothing_done_proves_nothing_and_a_violation_fails(name):
    idle = {"commits": 0, "failures": {"access (42501): permission denied": 3}}
    wrong = {"commits": 9, "violations": {"orphans": 1}, "examples": ["child 1 has no parent"]}
    wrong |= {
        "anomalies": {"lost append": 1},
        "cases": [{"kind": "lost append", "text": "child 1 has no parent"}],
    }
    for fact, outcome, told in (
        (idle, Outcome.INCONCLUSIVE, "permission denied"),
        (wrong, Outcome.FAILED, "child 1 has no parent"),
    ):
        facts = {"invariants": {"product": "PostgreSQL", "level": "READ COMMITTED", "checks": {name: fact}}}
        found = findings(Evidence(facts=facts), asked())[name]
        assert (found.outcome, found.severity, told in found.message) == (outcome, Severity.BLOCKER, True)


def test_what_is_said_of_isolation_is_meant_here_too():
    there = {"require": "no write skew", "level": "repeatable read"}
    said = settings_of(isolation=there)
    assert (required_of(said), level_of(said)) == (("no write skew",), "repeatable read")
    both = settings_of(isolation=there, invariants={"level": "read committed", "require": "snapshot"})
    assert (required_of(both), level_of(both)) == (("snapshot", "no write skew"), "read committed")


@pytest.mark.parametrize("word", list(FORBIDDEN))
def test_a_word_of_the_isolation_part_forbids_here_what_it_forbids_there(word):
    shown_by_histories = {each.value for each in Anomaly}
    there = {each.value for each in FORBIDDEN[word]} & shown_by_histories
    assert there <= {each.value for each in required([word])}


def test_a_quick_run_takes_a_fraction_of_a_second_for_each_check():
    settings = settings_of().quick()
    assert settings.invariants.seconds == 0.3
    assert PART.seconds(settings) < PART.seconds(settings_of())


CYCLE = {"kind": "G2-item", "text": "T1 -rw 1:1-> T2", "shown": ["T1 (ok): read(1) = []"]}
SHOWN = {
    "product": "PostgreSQL", "level": "READ COMMITTED", "workers": 6,
    "troubles": {"unique_key": "connection"},
    "checks": {
        "foreign_key": {"commits": 3, "refused": 2, "violations": {"orphans": 1}, "examples": ["child 7"]},
        "history": {"commits": 9, "anomalies": {"G2-item": 2},
                    "cases": [CYCLE]},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({}, ()),
        ({"invariants": {}}, ()),
        ({"invariants": {"checks": {}}}, ("Invariants",)),
        (
            {"invariants": SHOWN},
            ("orphans (1 times)", "child 7", "G2-item (2 times)", "T1 (ok): read(1) = []", "broke off"),
        ),
    ],
)
def test_the_page_shows_what_is_there(facts, shown):
    source = (Path(killed.__file__).parent / "partial.html").read_text(encoding="utf-8")
    result = PhaseResult("database", "database", "Database", Status.COMPLETED, Evidence(facts=facts))
    page = str(_own_part(result, source))
    assert "could not be drawn" not in page
    assert [each for each in shown if each not in page] == []
