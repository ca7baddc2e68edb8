"""The campaign file's failover section: what it may say, and each mistake named with its key."""

import pytest
from failing import settings_of
from pydantic import ValidationError

from campaign.target.spec import TargetSpec
from phases.failover.catalogue import SHIPPED
from phases.failover.choice import choose, nothing_to_break
from phases.failover.settings import FailoverSettings

CONTAINERS = {"service": "teddy", "database": "postgres", "cache": "redis"}


def chosen(settings, **target):
    return {each.name: each for each in choose(TargetSpec("http://127.0.0.1:9", **target), settings)}


def test_with_three_containers_every_shipped_scenario_but_the_slow_route_runs():
    found = chosen(FailoverSettings(), containers=CONTAINERS)
    assert list(found) == list(SHIPPED)
    assert not {name: each.why for name, each in found.items() if each.why}


def test_a_scenario_whose_part_nobody_named_is_left_out_and_says_so():
    found = chosen(FailoverSettings(), containers={"service": "teddy"})
    able = [name for name, each in found.items() if not each.why]
    assert able == ["service_restart", "service_killed", "service_crashed", "chaos"]
    assert "no part 'database' is named" in found["database_down"].why
    assert "no dependency is named" in found["dependency_frozen"].why


def test_a_dependency_is_the_database_else_the_cache_else_another_part():
    for containers, role in (
        (CONTAINERS, "database"),
        ({"service": "teddy", "cache": "redis"}, "cache"),
        ({"service": "teddy", "speech": "whisper"}, "speech"),
    ):
        (blow,) = chosen(FailoverSettings(), containers=containers)["dependency_frozen"].form.blows
        assert blow.role == role


def test_a_form_of_a_shipped_scenario_breaks_the_part_that_is_named():
    settings = settings_of(scenarios={"speech_down": {"as": "database_down", "on": "speech", "for": "3s"}})
    found = chosen(settings, containers={"speech": "whisper"})["speech_down"]
    assert (found.why, found.form.blows[0].role, found.form.seconds) == ("", "speech", 3.0)


def test_a_crash_is_left_out_where_nothing_watches_over_the_process():
    processes = {"service": {"port": 8000, "start": "service start"}}
    found = chosen(settings_of(processes=processes, scenarios=["service_crashed", "service_killed"]))
    assert "nothing watches over the service" in found["service_crashed"].why
    assert not found["service_killed"].why


def test_nothing_named_is_a_phase_that_cannot_run():
    target = TargetSpec("http://127.0.0.1:9")
    assert "target.containers" in nothing_to_break(target, FailoverSettings())


@pytest.mark.parametrize(
    ("section", "key", "says"),
    [
        ({"scenarios": {"databse_down": {}}}, "", "scenario"),
        ({"scenarios": {"database_down": {"fro": "3s"}}}, "fro", "Extra"),
        ({"scenarios": {"database_down": {"for": "2m"}}}, "", "for of 120 s below longest"),
        ({"scenarios": {"database_down": {"on": ["a", "b"]}}}, "", "at most 1 parts"),
        ({"skip": ["databse_down"]}, "skip", "scenario"),
        ({"probes": {"rate": "1000/s"}}, "rate", "1/s to 200/s"),
        ({"probes": {"rate": "100/s", "timeout": "30s"}}, "probes", "may hang at once"),
        ({"processes": {"service": {"port": 1, "pid": 2, "start": "x"}}}, "service", "exactly one"),
        ({"processes": {"service": {"port": 8000}}}, "service", "start"),
        ({"commands": {"service": {"break": "x"}}}, "heal", "required"),
        ({"routes": {"database": {"listen": "5432", "to": "127.0.0.1:5432"}}}, "listen", "address"),
        ({"routes": {"database": {"listen": "127.0.0.1:1", "to": "127.0.0.1:1"}}}, "database", "differ"),
        ({"writes": {"operation": "x", "stored": {"table": "a; drop", "column": "b"}}}, "table", "match"),
        ({"guardian": "contaner"}, "guardian", "process"),
        ({"at_once": 0}, "at_once", "greater"),
        ({"longest": "0"}, "longest", "100ms to 10m"),
    ],
)
def test_a_mistake_names_its_key(section, key, says):
    with pytest.raises(ValidationError) as caught:
        FailoverSettings.model_validate(section)
    errors = caught.value.errors()
    assert any(key in map(str, each["loc"]) or not key for each in errors), errors
    assert any(says.lower() in str((each["msg"], each.get("ctx"))).lower() for each in errors), errors


def test_quick_is_short():
    quick = FailoverSettings().quick()
    assert quick.steady == 2.0
    assert all(each.hold <= 3.0 for each in quick.scenarios.values())
    assert len(quick.scenarios) == 5
    named = settings_of(scenarios={"chaos": {"for": "5m"}, "flapping": {}}).quick()
    assert list(named.scenarios) == ["chaos", "flapping"]
    assert named.scenarios["chaos"].hold == 15.0
    assert named.scenarios["flapping"].times == 2
    some = settings_of(scenarios={"chaos": {"quick": False}, "flapping": {}})
    assert list(some.quick().scenarios) == ["flapping"]
    assert list(some.asked()) == ["chaos", "flapping"]
    none = settings_of(scenarios={"chaos": {"quick": False}}).quick()
    assert list(none.scenarios) == ["chaos"], "a phase that is run runs something"


def test_what_was_read_is_written_as_it_was_read():
    settings = settings_of(
        scenarios={"database_down": {"for": "10s", "during": "reads"}},
        commands={"database": {"break": "a", "heal": "b"}},
        consistency={
            "same": [{"read": "me", "json": "$.x", "sql": "SELECT 1"}],
            "queries": {"n": "SELECT 1"},
        },
    )
    told = settings.model_dump(mode="json", by_alias=True)
    assert FailoverSettings.model_validate(told) == settings
