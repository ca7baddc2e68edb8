"""Connections killed, a server frozen, restarted and gone: what the part says of real servers."""

import asyncio
import errno
from typing import get_args

import psycopg
import pytest
from bell import bell
from scene import make_context, run_phase, settings_of
from servers import MariaDb, Postgres, wait_until

from campaign.database.address import read_address
from campaign.database.server import open_server
from campaign.database.territory import places
from campaign.ledger.writer import Ledger
from campaign.records import Outcome
from campaign.target.spec import TargetSpec
from phases.database.collect import run_parts
from phases.database.judge import judge_database
from phases.database.recovery.part import RecoveryPart
from phases.database.settings import PartName

OTHERS = sorted(set(get_args(PartName)) - {"recovery"})
SHORT = {"calm": "300ms", "write_timeout": "500ms"}


def settings(**said):
    return settings_of(skip=OTHERS, recovery={**SHORT, **said})


class Seen:
    """What a run of the part came to."""

    def __init__(self, evidence, chosen):
        self.evidence, self.settings = evidence, chosen
        self.trials = {each["name"]: each for each in evidence.facts["recovery"]["disturbances"]}
        self.findings = {
            each.check.removeprefix("recovery."): each for each in RecoveryPart().judge(evidence, chosen)
        }

    def outcomes(self, name):
        return {
            check.partition(".")[2]: each.outcome.value
            for check, each in self.findings.items()
            if check.startswith(f"{name}.")
        }


def recover(url, folder, **said):
    chosen = settings(**said)
    return Seen(run_phase(chosen, stores={"database": url}, workdir=folder), chosen)


ALL_GOOD = dict.fromkeys(("lost", "phantom", "recovered", "leaked"), "passed")
NOTHING_KNOWN = dict.fromkeys(("lost", "phantom", "recovered", "leaked"), "inconclusive")
AWAY = {**NOTHING_KNOWN, "recovered": "failed", "command": "inconclusive"}


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_killed_connections_cost_nothing_that_was_acknowledged_and_leave_nothing(request, tmp_path, kind):
    url = request.getfixturevalue(f"{kind}_url")
    seen = recover(url, tmp_path)
    assert {name: seen.outcomes(name) for name in seen.trials} == {
        "kill_idle": ALL_GOOD,
        "kill_in_transaction": ALL_GOOD,
    }
    idle, busy = seen.trials["kill_idle"], seen.trials["kill_in_transaction"]
    assert (idle["proved"], idle["connects"] >= 2) == (True, True), "the pool made new ones"
    assert (busy["errors"], busy["refused"]) == (2, 2), "who was in a transaction learns of it"
    server = open_server(read_address(url), tag="looks afterwards")
    assert places(server) == {}
    server.close()


def test_without_pre_ping_a_killed_connection_costs_a_write_and_a_second_try_saves_it(postgres_url, tmp_path):
    with psycopg.connect(postgres_url, autocommit=True, application_name="the service") as service:
        seen = recover(postgres_url, tmp_path, pre_ping=False, retries=1)
        assert service.execute("SELECT 1").fetchone() == (1,), "sessions of others are never killed"
    idle = seen.trials["kill_idle"]
    assert idle["errors"] >= 1
    assert idle["retries"] >= 1
    assert (idle["refused"], idle["lost"]["count"], idle["phantom"]["count"]) == (0, 0, 0)


@pytest.fixture(scope="module")
def own_postgres():
    """A server that these tests may stop."""
    server = Postgres()
    yield server
    server.end()


def freezing(server):
    """A pair of functions that freeze the server and let it go on."""
    held = []

    def begin():
        held.append(server.frozen())
        held[-1].__enter__()

    def end():
        while held:
            held.pop().__exit__(None, None, None)

    return begin, end


def test_a_server_that_is_frozen_restarted_and_stopped_comes_back_with_every_write(
    own_postgres, fresh_name, tmp_path
):
    url = own_postgres.database(fresh_name)
    begin, end = freezing(own_postgres)
    doing = {"begin": begin, "end": end, "restart": own_postgres.restart}
    with bell(tmp_path, **doing, stop=own_postgres.stop, start=own_postgres.start) as rings:
        seen = recover(
            url,
            tmp_path,
            freeze={"begin": rings.command("begin"), "end": rings.command("end"), "seconds": 1.2},
            restart=rings.command("restart"),
            stop=rings.command("stop"),
            start=rings.command("start"),
        )
    for name in ("freeze", "restart", "stop_start"):
        assert seen.outcomes(name) == ALL_GOOD, seen.trials[name]
    freeze, restart, stop = (seen.trials[each] for each in ("freeze", "restart", "stop_start"))
    assert "timeout" in next(iter(freeze["errors_by"])), "a frozen server resets nothing"
    assert freeze["detected"] >= 0.4, "only the time-out finds it"
    assert freeze["longest_gap"] >= 1.0
    assert "another start time" in restart["proof"]
    assert stop["to_healthy"] >= 0.8, "it was down for a second"
    assert rings.rung == ["begin", "end", "restart", "stop", "start"]
    assert [each["what"] for each in stop["timeline"]][:2] == ["it began", "first failure"]


LOSSY = {
    ("postgres", "durable"): {"synchronous_commit": "on", "fsync": "on", "wal_writer_delay": "10s"},
    ("postgres", "lossy"): {"synchronous_commit": "off", "fsync": "on", "wal_writer_delay": "10s"},
    ("mariadb", "durable"): {"innodb_flush_log_at_trx_commit": 1},
    ("mariadb", "lossy"): {"innodb_flush_log_at_trx_commit": 0, "innodb_flush_log_at_timeout": 60},
}


@pytest.mark.parametrize(("kind", "how"), LOSSY)
def test_a_crash_loses_acknowledged_writes_exactly_where_commits_are_not_flushed(
    kind, how, fresh_name, tmp_path
):
    server = (Postgres if kind == "postgres" else MariaDb)(**LOSSY[kind, how])

    def crash():
        server.crash() if kind == "postgres" else server.kill()
        server.start()

    try:
        url = server.database(fresh_name)
        with bell(tmp_path, crash=crash) as rings:
            seen = recover(url, tmp_path, rate="500/s", restart=rings.command("crash"))
        trial = seen.trials["restart"]
        expected = {**ALL_GOOD, "lost": "failed"} if how == "lossy" else ALL_GOOD
        assert seen.outcomes("restart") == expected, trial
        assert (trial["lost"]["count"] > 0) == (how == "lossy")
        assert (
            f"{trial['lost']['count']:,} of {trial['acknowledged']:,}"
            in seen.findings["restart.lost"].message
        )
        assert trial["acknowledged"] - trial["lost"]["count"] + trial["unknown_found"] == trial["found"]
    finally:
        server.end()


def test_a_command_that_does_nothing_proves_nothing(postgres_url, tmp_path):
    idle = {"begin": "true", "end": "echo nothing; exit 3", "seconds": 0.2}
    seen = recover(postgres_url, tmp_path, restart="true", freeze=idle)
    assert (seen.outcomes("restart"), seen.outcomes("freeze")) == (NOTHING_KNOWN, {"command": "inconclusive"})
    assert (
        "the freeze.end command failed with exit code 3: nothing" in seen.findings["freeze.command"].message
    )
    assert "not proved" in seen.findings["restart.lost"].message
    assert "the same start time" in seen.findings["restart.lost"].message
    ran = seen.trials["freeze"]["commands"][1]
    assert (ran["exit_code"], ran["output"]) == (3, "nothing")


def test_a_server_that_stays_away_fails_in_bounded_time_and_what_is_left_behind_is_named(
    fresh_name, tmp_path
):
    server = Postgres()
    try:
        url = server.database(fresh_name)
        with bell(tmp_path, stop=server.kill) as rings:
            seen = recover(
                url,
                tmp_path,
                recovered_within="1s",
                restart="true",
                stop=rings.command("stop"),
                start="false",
            )
        gone = seen.findings["stop_start.recovered"]
        assert (gone.outcome, "> 1 s" in gone.message) == (Outcome.FAILED, True)
        assert seen.outcomes("stop_start") == AWAY
        said = seen.findings["stop_start.command"].message
        assert "the start command failed with exit code 1: it said nothing" in said
        every = {each.check: each for each in judge_database(seen.evidence, seen.settings)}
        left = every["territory.dropped"]
        assert left.outcome is Outcome.FAILED
        assert "are left in the database: connection" in left.message
        assert "campaign clean" in left.remedy
    finally:
        server.end()


def test_a_server_that_stays_frozen_holds_nothing_up_for_long(fresh_name, tmp_path, monkeypatch):
    for room in ("campaign.database.server", "phases.database.recovery.pooled"):
        monkeypatch.setattr(f"{room}.CONNECT_SECONDS", 1)
    monkeypatch.setattr("phases.database.recovery.trial.DISPOSE_SECONDS", 1.0)
    server = Postgres()
    begin, end = freezing(server)
    try:
        url = server.database(fresh_name)
        with bell(tmp_path, begin=begin) as rings:
            frozen = {"begin": rings.command("begin"), "end": "false", "seconds": 0.1}
            seen = recover(url, tmp_path, recovered_within="1s", freeze=frozen, restart="true")
        assert seen.outcomes("freeze") == AWAY
        assert "did not come back" in seen.findings["restart.lost"].message
    finally:
        end()
        server.kill()
        server.end()


def test_asked_to_stop_in_the_middle_of_a_freeze_it_thaws_the_server_at_once(
    own_postgres, fresh_name, tmp_path
):
    url = own_postgres.database(fresh_name)
    begin, end = freezing(own_postgres)
    with bell(tmp_path, begin=begin, end=end) as rings:
        frozen = {"begin": rings.command("begin"), "end": rings.command("end"), "seconds": 25}
        chosen = settings(freeze=frozen)

        async def run():
            context = make_context(chosen, stores={"database": url}, workdir=tmp_path)
            async with asyncio.timeout(30):
                running = asyncio.create_task(run_parts(context))
                await asyncio.to_thread(wait_until, lambda: "begin" in rings.rung)
                context.stop.request()
                await running
            return context.record.evidence

        seen = Seen(asyncio.run(run()), chosen)
    assert rings.rung == ["begin", "end"]
    assert seen.trials["freeze"]["watched"] < 10
    assert own_postgres.sql("SELECT 1", fresh_name) == "1"


def test_in_production_no_command_is_run(postgres_url, tmp_path):
    ran = tmp_path / "ran"
    chosen = settings(restart=f"touch {ran}")
    stores = {"database": postgres_url}
    target = TargetSpec("http://127.0.0.1:9", stores=stores, environment="production")
    evidence = run_phase(chosen, stores=stores, workdir=tmp_path, target=target)
    outcomes = {each.outcome for each in RecoveryPart().judge(evidence, chosen)}
    assert (outcomes, ran.exists()) == ({Outcome.INCONCLUSIVE}, False)


def test_a_file_has_no_server_to_lose(sqlite_url, tmp_path):
    seen = recover(sqlite_url, tmp_path, restart="false")
    assert {each.outcome for each in seen.findings.values()} == {Outcome.NOT_APPLICABLE}
    assert "SQLite is a file" in seen.findings["kill_idle.lost"].message


def test_a_ledger_that_cannot_be_written_is_the_parts_trouble_and_no_verdict(
    postgres_url, tmp_path, monkeypatch
):
    def full(ledger, line):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Ledger, "_write", full)
    monkeypatch.setattr("phases.database.recovery.trial.FIRST_SECONDS", 1.0)
    seen = recover(postgres_url, tmp_path)
    assert {each.outcome for each in seen.findings.values()} == {Outcome.INCONCLUSIVE}
    assert "No space left" in seen.findings["kill_idle.lost"].message
