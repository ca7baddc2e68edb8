"""Real faults on a real, supervised demo: what the phase saw, and that everything is as it was."""

from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest
from failing import PROBES, WRITES, parts_of, run_failover, settings_of
from supervised import supervised

from campaign.errors import RefusedError
from campaign.faults.breaker import Unrestored, open_breaker
from phases.failover.people import NotPossibleError


@pytest.fixture(autouse=True)
def state_home(tmp_path, monkeypatch):
    """Undo records of tests lie in a folder of the test's own."""
    monkeypatch.setenv("CAMPAIGN_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def demo():
    with supervised() as running:
        yield running


def scenario(record, name):
    (found,) = [each for each in record.facts["scenarios"] if each["name"] == name]
    return found


def run(demo, tmp_path, **sections):
    settings = settings_of(processes=parts_of(demo), **sections)
    return run_failover(settings, demo.url, workdir=tmp_path)


def test_a_killed_service_is_seen_to_fail_and_to_recover_and_loses_nothing(demo, tmp_path):
    before = demo.pid("service")
    told = scenario(run(demo, tmp_path, scenarios=["service_killed"]), "service_killed")
    assert told["why"] == ""
    (strike,), (episode,) = told["strikes"], told["episodes"]
    assert strike["proved"]
    assert strike["restored"]
    assert strike["sent"] <= strike["confirmed"] <= strike["running"]
    assert episode["felt"]
    assert episode["recovered"]
    assert 0 < episode["to_recover"] < 10
    assert set(told["requests"]["kinds"]) <= {"refused", "reset"}
    (ledger,) = told["ledger"]
    assert ledger["place"] == "api"
    assert ledger["acknowledged"] > 10
    assert ledger["lost"]["count"] == ledger["phantom"]["count"] == ledger["doubled"]["count"] == 0
    assert told["sessions"] == {"before": 2, "after": 2}
    assert demo.pid("service") != before
    assert demo.answers()


def test_a_frozen_service_makes_requests_hang_and_none_delays_the_next(demo, tmp_path):
    frozen = {"as": "dependency_frozen", "on": "service", "for": "2s"}
    record = run(demo, tmp_path, scenarios={"service_frozen": frozen}, writes=None)
    told = scenario(record, "service_frozen")
    assert told["requests"]["hung"] >= 15  # 1 s of 20 a second could be answered in time once it goes on
    assert told["unsent"] == 0
    assert told["strikes"][0]["restored"]
    assert demo.answers()
    points = record.series["service_frozen.error_rate"]
    assert max(share for _, share in points if share is not None) == 1.0
    steps = [late[0] - early[0] for early, late in pairwise(points)]
    assert all(abs(each - 0.25) < 0.01 for each in steps), "a point per quarter second, also while it hung"


def test_where_all_was_not_well_before_nothing_is_broken(demo, tmp_path):
    before = demo.pid("service")
    probes = {**PROBES, "read": ["first_page", "missing"], "session": "missing"}
    told = scenario(run(demo, tmp_path, scenarios=["service_killed"], probes=probes), "service_killed")
    assert "all was not well before it" in told["why"]
    assert "missing" in told["why"]
    assert told["strikes"] == []
    assert demo.pid("service") == before


def test_what_cannot_be_broken_is_told_and_nothing_is(tmp_path, demo):
    before = demo.pid("service")
    gone = {"service": {"pid_file": str(tmp_path / "none.pid"), "supervised": True}}
    settings = settings_of(processes=gone, scenarios=["service_killed"])
    told = scenario(run_failover(settings, demo.url, workdir=tmp_path), "service_killed")
    assert "none.pid" in told["why"]
    assert told["strikes"][0]["trouble"]
    assert demo.pid("service") == before


def test_a_scenario_whose_parts_are_unknown_is_left_out_and_said(demo, tmp_path):
    record = run(demo, tmp_path, scenarios=["database_down"])
    assert record.facts["plan"][0]["why"]
    assert any("Database down and up was left out" in each for each in record.notes)
    assert "scenarios" not in record.facts


def test_a_stop_in_the_middle_heals_first(demo, tmp_path):
    frozen = {"as": "dependency_frozen", "on": "service", "for": "50s"}
    settings = settings_of(processes=parts_of(demo), scenarios={"frozen": frozen, "service_killed": {}})
    record = run_failover(settings, demo.url, workdir=tmp_path, stop_after="freeze", seconds=30)
    told = scenario(record, "frozen")
    assert told["why"] == "the campaign was interrupted"
    assert told["strikes"][0]["restored"]
    assert [each["name"] for each in record.facts["scenarios"]] == ["frozen"]
    assert record.facts["rest"] == "the campaign was interrupted before it"
    assert demo.answers()
    assert not list((tmp_path / "state" / "open").glob("*.json"))


def test_repeated_faults_are_episodes_of_their_own(demo, tmp_path):
    asked = {"service_killed": {"for": "500ms", "times": 2, "apart": "4s"}}
    told = scenario(run(demo, tmp_path, scenarios=asked), "service_killed")
    assert len(told["strikes"]) == len(told["episodes"]) == 2
    assert all(each["recovered"] for each in told["episodes"])


@pytest.mark.slow
def test_a_random_run_is_drawn_from_the_seed(demo, tmp_path):
    asked = {"chaos": {"for": "6s", "on": ["service"]}}
    told = [scenario(run(demo, tmp_path / str(each), scenarios=asked), "chaos") for each in range(2)]
    first, second = ([each["what"].split(" the ")[0] for each in one["strikes"]] for one in told)
    shortest = min(len(first), len(second))
    assert shortest >= 1
    assert first[:shortest] == second[:shortest]
    assert all(each["restored"] for one in told for each in one["strikes"])


@pytest.mark.parametrize("retry", [None, {"attempts": 2}])
def test_a_service_that_forgets_what_it_confirmed_is_caught(tmp_path, retry):
    with supervised("--defect=ack-before-commit") as demo:
        writes = {"operation": "converse", "rate": "20/s", "read": "said", "retry": retry}
        told = scenario(run(demo, tmp_path, scenarios=["service_killed"], writes=writes), "service_killed")
    (ledger,) = told["ledger"]
    assert ledger["lost"]["count"] > 0


def test_a_page_that_may_show_a_part_only_accuses_nobody(demo, tmp_path):
    writes = {"operation": "converse", "rate": "20/s", "read": "first_page"}
    told = scenario(run(demo, tmp_path, scenarios=["service_killed"], writes=writes), "service_killed")
    (ledger,) = told["ledger"]
    assert ledger["lost"] is None
    assert "may show a part only" in ledger["why"]


def test_sessions_that_a_restart_ends_are_counted_while_others_sign_in_again(tmp_path):
    with supervised("--defect=session-loss") as demo:
        told = scenario(run(demo, tmp_path, scenarios=["service_killed"]), "service_killed")
    assert told["sessions"] == {"before": 2, "after": 0}
    assert told["episodes"][0]["recovered"]


@pytest.mark.slow
def test_a_route_of_ours_is_slow_cut_and_silent_and_then_as_it_was(tmp_path):
    with supervised(through_route=True) as demo:
        route = {"listen": f"127.0.0.1:{demo.route_port}", "to": f"127.0.0.1:{demo.companion_port}"}
        kinds = {"slow": "slow_dependency", "cut": "database_down", "silent": "dependency_frozen"}
        record = run(
            demo,
            tmp_path,
            routes={"companion": route},
            writes={**WRITES, "operation": "story"},
            scenarios={name: {"as": kind, "on": "companion", "for": "2s"} for name, kind in kinds.items()},
        )
    told = {name: scenario(record, name) for name in kinds}
    for each in told.values():
        assert each["strikes"][0]["proved"], each["strikes"][0]["proof"]
        assert each["strikes"][0]["restored"]
        assert each["ledger"][0]["lost"]["count"] == 0
    assert told["slow"]["requests"]["failed"] == 0
    assert set(told["cut"]["requests"]["kinds"]) == {"status"}
    assert told["silent"]["requests"]["hung"] > 0


@pytest.mark.slow
def test_a_service_that_is_away_has_signed_nobody_out(tmp_path):
    """The lease of the process before keeps the next one from serving."""
    with supervised("--defect=slow-start", "--lease-s=60") as demo:
        record = run(demo, tmp_path, scenarios=["service_killed"], recovered_within="3s")
    told = scenario(record, "service_killed")
    assert not told["episodes"][0]["recovered"]
    assert told["sessions"] == {"before": 2, "after": None}
    (ledger,) = told["ledger"]
    assert ledger["lost"] is None, "what could not be read is not lost"


class Careless:
    """A breaker that puts everything back and says that it could not."""

    def __init__(self, breaker):
        self._breaker = breaker

    def __getattr__(self, name):
        return getattr(self._breaker, name)

    @property
    def unrestored(self):
        return (Unrestored("the service", ("systemctl start teddy",), "it is gone"),)

    async def heal(self, struck):
        return replace(await self._breaker.heal(struck), restored=False)


def test_where_a_part_could_not_be_put_back_nothing_more_is_broken(demo, tmp_path, monkeypatch):
    @asynccontextmanager
    async def careless(**options):
        async with open_breaker(**options) as breaker:
            yield Careless(breaker)

    monkeypatch.setattr("phases.failover.collect.open_breaker", careless)
    record = run(demo, tmp_path, scenarios={"service_killed": {"for": "500ms"}, "service_restart": {}})
    (left,) = record.facts["not_restored"]
    assert left["by_hand"] == ["systemctl start teddy"]
    assert [each["name"] for each in record.facts["scenarios"]] == ["service_killed"]
    assert not scenario(record, "service_killed")["strikes"][0]["restored"]
    assert "could not be put back" in record.facts["rest"]


def test_no_target_in_production_is_broken(tmp_path):
    settings = settings_of(
        processes={"service": {"pid": 1, "supervised": True}}, scenarios=["service_killed"]
    )
    with pytest.raises(RefusedError, match="production"):
        run_failover(settings, "http://127.0.0.1:9", workdir=tmp_path, environment="production")


def test_users_who_cannot_sign_in_are_told_and_nothing_is_broken(demo, tmp_path):
    before = demo.pid("service")
    with pytest.raises(NotPossibleError, match="user 90 cannot login: "):
        run(demo, tmp_path, scenarios=["service_killed"], probes={**PROBES, "user": 90})
    assert demo.pid("service") == before


def test_writes_may_be_looked_up_one_by_one(demo, tmp_path):
    writes = {"operation": "converse", "rate": "10/s", "read": "find"}
    told = scenario(run(demo, tmp_path, scenarios=["service_killed"], writes=writes), "service_killed")
    (ledger,) = told["ledger"]
    assert ledger["why"] == ""
    assert ledger["found"] >= ledger["acknowledged"] > 10
    assert ledger["lost"]["count"] == ledger["doubled"]["count"] == 0


def test_load_beside_the_probes_is_timed_before_and_after(demo, tmp_path):
    load = {"users": 4, "ramp": "10/s"}
    asked = {"service_killed": {"for": "500ms"}}
    told = scenario(run(demo, tmp_path, scenarios=asked, load=load, steady="2s"), "service_killed")
    assert told["why"] == ""
    assert told["load"]["before"] > 0
    assert told["load"]["after"] > 0
    assert told["notes"] == []


@pytest.mark.parametrize(("defects", "doubled"), [([], False), (["--defect=duplicate-on-retry"], True)])
def test_what_a_client_asks_again_is_there_twice_where_the_service_does_not_know_it(
    tmp_path, defects, doubled
):
    """The service stands still with writes it has read already: it does them when it goes on."""
    with supervised(*defects) as demo:
        frozen = {"as": "dependency_frozen", "on": "service", "for": "2s"}
        writes = {**WRITES, "rate": "20/s", "retry": {"attempts": 3, "pause": "200ms"}}
        told = scenario(run(demo, tmp_path, scenarios={"frozen": frozen}, writes=writes), "frozen")
    (ledger,) = told["ledger"]
    assert ledger["lost"]["count"] == 0
    assert (ledger["doubled"]["count"] > 0) is doubled


def test_a_write_as_a_probe_is_its_first_try_whatever_the_client_does_then(demo, tmp_path):
    writes = {**WRITES, "rate": "10/s", "retry": {"attempts": 10, "pause": "500ms"}}
    frozen = {"as": "dependency_frozen", "on": "service", "for": "3s"}
    told = scenario(run(demo, tmp_path, scenarios={"frozen": frozen}, writes=writes), "frozen")
    served = told["under_fault"]["writes"]
    assert served["count"] > 20
    assert served["ok"] < served["count"] / 2, "they hung, though each was done at last"


@pytest.mark.parametrize("operation", ["me", WRITES["read"]])
def test_a_volley_meets_a_stop_and_a_service_that_drains_loses_none_for_certain(demo, tmp_path, operation):
    probes = {**PROBES, "in_flight": operation}
    record = run(demo, tmp_path, scenarios=["service_restart"], probes=probes)
    (strike,) = scenario(record, "service_restart")["strikes"]
    assert strike["in_flight"]["met"] >= 2, "of eight; those that were just being sent do not count"
    assert strike["in_flight"]["lost"] * 2 <= strike["in_flight"]["met"]
    assert strike["in_flight"]["lost"] == strike["in_flight"]["reset"], "one may not have been read yet"
