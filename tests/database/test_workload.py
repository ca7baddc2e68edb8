"""A companion service's statements in tables of our own: filled, run, judged, and nothing left of them."""

import asyncio
import threading

import pytest
from pydantic import ValidationError
from scene import open_scene, run_phase, settings_of
from servers import wait_until

from campaign.database.address import read_address
from campaign.database.server import open_server
from campaign.database.territory import drop, places
from campaign.records import Evidence, Measurement, Outcome, Severity
from phases.database.workload.part import WorkloadPart
from phases.database.workload.rows import counts, row_makers

OTHERS = [
    "catalogue", "queries", "pool", "isolation", "invariants", "durability", "recovery", "cache", "service",
]  # fmt: skip
SMALL = {"scale": 50, "hold": "1s", "warm_up": "200ms", "rate": "200/s", "connections": 4}


def collected(url, during=None, **own):
    """The evidence, the settings and the places left over, of the part on a real database."""
    settings = settings_of(workload={**SMALL, **own})

    async def main():
        async with open_scene(url, settings) as scene, asyncio.timeout(40):
            beside = asyncio.create_task(during(scene)) if during else None
            await WorkloadPart().collect(scene)
            beside and await beside
            await asyncio.to_thread(scene.territory.drop)
            return scene.context.record, await asyncio.to_thread(places, scene.server)

    record, left = asyncio.run(main())
    return record, settings, left


def findings(evidence, settings):
    return {each.check: each for each in WorkloadPart().judge(evidence, settings)}


def test_every_pattern_is_run_measured_and_judged(database_url):
    record, settings, left = collected(database_url)
    facts = record.facts["workload"]
    rows = {row["name"]: row for row in facts["patterns"]}
    assert list(rows) == [*settings.workload.weights, "all"]
    assert all(row["count"] and row["rows"] and not row["errors"] for row in rows.values())
    assert rows["all"]["count"] == sum(row["count"] for name, row in rows.items() if name != "all") == 200
    assert facts["kept"]["found"] == facts["kept"]["acknowledged"] == rows["activity_log"]["rows"] > 0
    assert {"workload.query_rate", "workload.query_p95", "workload.query_error_rate"} <= set(record.series)
    outcomes = {name: each.outcome for name, each in findings(record.evidence, settings).items()}
    assert outcomes["workload.writes_kept"] is Outcome.PASSED
    assert outcomes["workload.all.error_rate"] in {Outcome.PASSED, Outcome.INCONCLUSIVE}  # a busy machine
    assert outcomes["workload.all.rate"] is Outcome.NOT_APPLICABLE  # 200/s were offered
    assert facts["plan"]["pattern"] in set(rows) - {"activity_log", "all"}
    assert (facts["plan"]["missing"], bool(facts["plan"]["text"])) == ("", True)
    assert left == {}


def test_the_same_seed_makes_the_same_rows_and_20_messages_for_each_child():
    first, second = ({name: list(make()) for name, make in row_makers(30, seed).items()} for seed in (7, 7))
    assert first == second
    assert {name: len(rows) for name, rows in first.items()} == counts(30)
    assert len(first["messages"]) == 600
    other = list(row_makers(30, 8)["messages"]())
    assert other != first["messages"]


def test_a_stop_while_tables_are_filled_ends_the_part(sqlite_url):
    async def stop(scene):
        scene.context.stop.request()

    record, settings, left = collected(sqlite_url, during=stop, scale=20000)
    assert "workload" not in record.facts
    assert {each.outcome for each in findings(record.evidence, settings).values()} == {Outcome.INCONCLUSIVE}
    assert left == {}


def evidence_of(saturation="", delay="", **figures):
    """Evidence as a run would leave it, with everything in order but what is given."""
    facts = {
        "offered_statements": 600.0,
        "patterns": [],
        "model": "open",
        "hold_seconds": 60.0,
        "asked_seconds": 60.0,
        "load_reached": 1.0,
        "kept": {"acknowledged": 100, "found": 100, "why": ""},
        "generator": {"saturation": saturation, "delay": delay},
    }
    values = {"all.rate": 600.0, "all.error_rate": 0.0, "load_reached": figures.get("load_reached", 1.0)}
    values |= {f"{name}.mean": 0.001 for name in settings_of().workload.weights}
    for name, value in figures.items():
        (facts if name in facts else values)[name.replace("__", ".")] = value
    units = {"rate": "1/s", "error_rate": "share", "mean": "s", "load_reached": "share"}
    measured = tuple(
        Measurement.exact(f"workload.{name}", value, unit=units[name.rpartition(".")[2]], count=1000)
        for name, value in values.items()
    )
    return Evidence(measured, (), {"workload": facts})


HEALTHY = evidence_of()


def judged(evidence, check, **own):
    return findings(evidence, settings_of(workload=own))[f"workload.{check}"].outcome


@pytest.mark.parametrize(
    ("figures", "check", "expected"),
    [
        ({}, "dashboard.mean", Outcome.PASSED),
        ({"dashboard__mean": 0.051}, "dashboard.mean", Outcome.FAILED),
        ({"profile_lookup__mean": 0.007}, "profile_lookup.mean", Outcome.WARNED),
        ({"profile_lookup__mean": 0.011}, "profile_lookup.mean", Outcome.FAILED),
        ({"all__rate": 480.0}, "all.rate", Outcome.FAILED),
        ({"all__rate": 480.0, "offered_statements": 300.0}, "all.rate", Outcome.NOT_APPLICABLE),
        ({"all__rate": 20.0, "offered_statements": 499.99999999999994}, "all.rate", Outcome.FAILED),
        (
            {"all__rate": 20.0, "offered_statements": 300.0, "load_reached": 0.07},
            "load_reached",
            Outcome.FAILED,
        ),
        ({}, "load_reached", Outcome.PASSED),
        ({"all__error_rate": 0.02}, "all.error_rate", Outcome.FAILED),
        ({"load_reached": 0.5}, "dashboard.mean", Outcome.INCONCLUSIVE),
        ({"hold_seconds": 10.0}, "dashboard.mean", Outcome.INCONCLUSIVE),
        ({"kept": {"acknowledged": 100, "found": 99, "why": ""}}, "writes_kept", Outcome.FAILED),
        ({"kept": {"acknowledged": 0, "found": 0, "why": ""}}, "writes_kept", Outcome.INCONCLUSIVE),
        ({"kept": {"acknowledged": 9, "found": None, "why": "gone"}}, "writes_kept", Outcome.INCONCLUSIVE),
    ],
)
def test_figures_are_held_against_the_limits(figures, check, expected):
    assert judged(evidence_of(**figures), check) is expected


def test_a_pattern_that_chance_chose_too_seldom_has_not_failed():
    """At 600/s it is offered about 240 times a second."""
    row = {"name": "profile_lookup", "count": 14_340}
    facts = {"patterns": [row], "profile_lookup__rate": 239.0}
    own = {"limits": {"profile_lookup": {"rate": "240/s"}}}
    assert judged(evidence_of(**facts), "profile_lookup.rate", **own) is Outcome.INCONCLUSIVE
    facts["patterns"] = [{**row, "count": 14_460}]
    assert judged(evidence_of(**facts), "profile_lookup.rate", **own) is Outcome.FAILED


def test_a_critical_limit_that_was_never_observed_stops_the_gate():
    found = findings(evidence_of(dashboard__mean=None), settings_of())["workload.dashboard.mean"]
    assert (found.outcome, found.severity) == (Outcome.INCONCLUSIVE, Severity.BLOCKER)
    straddling = Measurement("workload.dashboard.mean", 0.049, "s", 20, 0.040, 0.060)
    evidence = Evidence((straddling,), (), HEALTHY.facts)
    found = findings(evidence, settings_of())["workload.dashboard.mean"]
    assert (found.outcome, found.severity) == (Outcome.INCONCLUSIVE, Severity.CRITICAL)


def test_the_files_own_limits_take_the_place_of_the_shipped_ones():
    slow = evidence_of(dashboard__mean=0.080)
    assert judged(slow, "dashboard.mean") is Outcome.FAILED
    assert judged(slow, "dashboard.mean", limits={"dashboard": {"mean": "100ms"}}) is Outcome.PASSED


def test_a_saturated_generator_takes_passes_away_and_excuses_what_it_may_have_done():
    lag = "event-loop lag p99 80 ms (at most 50 ms)"
    evidence = evidence_of(
        saturation=lag, delay=lag, dashboard__mean=0.080, all__rate=400.0, all__error_rate=0.02
    )
    outcomes = {name: each.outcome for name, each in findings(evidence, settings_of()).items()}
    assert outcomes.pop("workload.all.error_rate") is Outcome.FAILED
    assert outcomes.pop("workload.writes_kept") is Outcome.PASSED
    assert set(outcomes.values()) == {Outcome.INCONCLUSIVE}


def test_without_evidence_every_planned_check_is_undecided():
    for facts in ({}, {"trouble": {"workload": "we may make no tables of our own"}}):
        found = findings(Evidence(facts=facts), settings_of())
        assert {each.outcome for each in found.values()} == {Outcome.INCONCLUSIVE}
        assert set(found) == set(findings(HEALTHY, settings_of()))


def test_the_mix_of_the_file_leaves_out_what_it_does_not_name():
    settings = settings_of(workload={"mix": {"profile_lookup": 1, "dashboard": 0}})
    assert settings.workload.weights == {"profile_lookup": 1}
    assert {each.check for each in WorkloadPart().judge(HEALTHY, settings)} == {
        "workload.profile_lookup.mean",
        "workload.all.error_rate",
        "workload.all.rate",
        "workload.load_reached",
    }


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"rate": "10/s", "users": 3}, "one of them"),
        ({"mix": {"dashboard": 0}}, "one above 0"),
        ({"hold": "100ms"}, "is a hold of 100ms and a timeout of 5s, not a hold of 1s or more"),
        ({"limits": {"all": {"rate": "1000/s"}}}, "1000/s}, and 600/s are offered, not"),
        ({"limits": {"profile_lookup": {"rate": "400/s"}}}, "400/s}, and 240/s are offered"),
        ({"rate": "100/s", "limits": {"all": {"rate": "101/s"}}}, "100/s are offered"),
        ({"scale": 3}, "greater than or equal to 10"),
        ({"limits": {"dashboard": {"mean": "> 5ms"}}}, "at most"),
    ],
)
def test_what_cannot_be_run_is_a_mistake_in_the_file(own, said):
    with pytest.raises(ValidationError, match=said):
        settings_of(workload=own)


def test_quick_is_short_and_still_offers_enough_to_be_judged():
    quick = settings_of().quick().workload
    assert (quick.hold, quick.warm_up, quick.offered) == (2.0, 0.5, 600.0)


@pytest.mark.parametrize("own", [{}, {"users": 5}, {"rate": "50/s"}])
def test_settings_read_from_a_report_are_those_that_were_run(own):
    settings = settings_of(workload=own)
    again = type(settings).model_validate(settings.model_dump(mode="json"))
    assert again.workload == settings.workload
    assert again.workload.offered == {"users": None, "rate": 50.0}.get(next(iter(own), ""), 600.0)


def test_a_run_whose_own_tables_were_taken_away_says_nothing_of_the_database(postgres_url):
    settings = settings_of(skip=OTHERS, workload={**SMALL, "hold": "3s"})
    server = open_server(read_address(postgres_url), tag="thief")
    taking = threading.Thread(target=_take_away, args=(server,))
    taking.start()
    evidence = run_phase(settings, stores={"database": postgres_url})
    taking.join()
    server.close()
    assert "our own tables were taken away" in evidence.facts["trouble"]["workload"]
    assert [each.check for each in WorkloadPart().judge(evidence, settings) if failed(each)] == []


def failed(finding):
    return finding.outcome is Outcome.FAILED


BUSY = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


def _take_away(server):
    wait_until(lambda: server.scalar(BUSY) > 300, seconds=30)
    for name in places(server):
        drop(server, name)
