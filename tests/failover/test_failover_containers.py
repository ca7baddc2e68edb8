"""The shipped scenarios against a service, a PostgreSQL and a Redis that run as real containers."""

import asyncio
import secrets

import httpx
import pytest
from engine import PostgresContainer, RedisContainer
from failing import PROBES, run_failover, settings_of
from servers import free_port, wait_until

from campaign.errors import ConfigurationError
from campaign.target.spec import TargetSpec
from phases.failover import FailoverPhase

pytestmark = [pytest.mark.postgres, pytest.mark.redis]

STORED = {"table": "messages", "column": "text", "where": "role = 'child'"}
WRITES = {"operation": "converse", "rate": "10/s", "read": "said", "stored": STORED}
STRAYS = {
    "sql": "SELECT count(*) FROM messages WHERE session_id NOT IN (SELECT id FROM sessions)",
    "equals": 0,
}
TALKED = "SELECT count(*) FROM messages WHERE session_id = :session_id"
CONSISTENCY = {
    "queries": {"strays": STRAYS, "parents": "SELECT count(*) FROM parents"},
    "same": [{"read": "said", "json": "$.total", "sql": TALKED}],
}


class Staging:
    """A service, its database and its cache, each a container that the engine starts again when it dies."""

    def __init__(self, engine, *defects, **database):
        self.engine, self.port, mark = engine, free_port(), secrets.token_hex(4)
        policy = {"restart_policy": {"Name": "always"}}
        self.database = PostgresContainer(engine, f"database-{mark}", options=policy, **database)
        self.cache = RedisContainer(engine, f"cache-{mark}", options=policy)
        self.name = f"service-{mark}"
        self.stores = {"database": self.database.database("teddy"), "redis": self.cache.url}
        self.url = f"http://127.0.0.1:{self.port}"
        self.service = engine.python(
            self.name, "-m", "campaign.demo", "--port", self.port, "--database-url", self.stores["database"],
            "--redis-url", self.stores["redis"], "--seed-parents=5", "--seed-history=200",
            "--requests-per-second=1000", "--database-patience-s=20",
            *(f"--defect={each}" for each in defects), **policy,
        )  # fmt: skip
        wait_until(self.answers, seconds=60)

    @property
    def containers(self):
        return {"service": self.name, "database": self.database.name, "cache": self.cache.name}

    def answers(self):
        try:
            return httpx.get(f"{self.url}/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def end(self):
        self.engine.remove([self.name])
        self.database.end()
        self.cache.end()


@pytest.fixture(autouse=True)
def state_home(tmp_path, monkeypatch):
    """Undo records of tests lie in a folder of the test's own."""
    monkeypatch.setenv("CAMPAIGN_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def staging(docker_engine):
    place = Staging(docker_engine)
    yield place
    place.end()


def run(staging, tmp_path, **sections):
    settings = settings_of(**{
        "engine": staging.engine.url, "writes": WRITES, "consistency": CONSISTENCY,
        "recovered_within": "20s", **sections,
    })  # fmt: skip
    return run_failover(
        settings, staging.url, workdir=tmp_path, stores=staging.stores, containers=staging.containers
    )


def only(record):
    (told,) = record.facts["scenarios"]
    return told


SHORT = {
    "database_down": {"for": "2s"},
    "database_killed": {"for": "1s"},
    "database_crashed": {},
    "cache_down": {"for": "2s"},
    "service_restart": {},
    "service_killed": {"for": "1s"},
    "service_crashed": {},
    "dependency_frozen": {"for": "3s"},
    "slow_dependency": {"for": "2s"},
    "cascade": {"for": "1s", "apart": "1s"},
    "flapping": {"for": "1s", "apart": "3s", "times": 2},
    "chaos": {"for": "6s"},
    "cold_start": {"for": "1s"},
}
AT_ONCE = {"database_killed", "cache_down", "service_restart"}
"""Those that `make test` tries; `make slow` tries the others."""


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "name", [each if each in AT_ONCE else pytest.param(each, marks=pytest.mark.slow) for each in SHORT]
)
def test_every_shipped_scenario_breaks_real_containers_and_the_healthy_demo_comes_back(
    staging, tmp_path, name
):
    wait_until(staging.answers, seconds=60)
    told = only(run(staging, tmp_path, scenarios={name: SHORT[name]}))
    assert told["why"] == ""
    assert told["strikes"]
    for strike in told["strikes"]:
        assert strike["proved"], strike["proof"]
        assert strike["restored"], strike["restored_detail"]
    assert told["episodes"][-1]["recovered"]
    for ledger in told["ledger"]:
        assert ledger["why"] == ""
        assert ledger["acknowledged"] > 5
        assert ledger["lost"]["count"] == ledger["phantom"]["count"] == ledger["unexpected"]["count"] == 0
    assert [each["place"] for each in told["ledger"]] == ["api", "database"]
    assert {each["name"]: each["holds"] for each in told["consistent"]} == {
        "foreign keys": True, "strays": True, "parents": True, "said $.total": True,
    }  # fmt: skip
    assert told["sessions"] == {"before": 2, "after": 2}
    assert told["pool"]["before"] is not None
    assert told["pool"]["after"] is not None
    for container in (staging.service, staging.database.container, staging.cache.container):
        container.reload()
        assert container.status == "running"


def verify(staging, containers, settings):
    target = TargetSpec(staging.url, containers=containers)
    asyncio.run(FailoverPhase().verify(target, settings))


def test_the_look_before_finds_a_container_that_is_not_there_and_what_was_meant(staging):
    settings = settings_of(engine=staging.engine.url, probes=PROBES, scenarios=["service_killed"])
    verify(staging, staging.containers, settings)
    misspelt = {"service": staging.name[:-1]}
    with pytest.raises(ConfigurationError, match=staging.name):
        verify(staging, misspelt, settings)
    with pytest.raises(ConfigurationError, match="engine"):
        verify(staging, misspelt, settings_of(engine="unix:///nowhere.sock", scenarios=["service_killed"]))


CONTROLS = {"on": "kept", "off": "lost"}
"""What a database that is killed does to what it has acknowledged, by its synchronous_commit."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("trials", [1, pytest.param(5, marks=pytest.mark.defects)])
@pytest.mark.parametrize("setting", CONTROLS)
def test_acknowledged_writes_are_lost_only_where_the_database_confirms_before_they_are_written(
    docker_engine, tmp_path, setting, trials
):
    staging = Staging(docker_engine, synchronous_commit=setting)
    try:
        for trial in range(trials):
            wait_until(staging.answers, seconds=60)
            told = only(run(
                staging, tmp_path / str(trial), scenarios={"database_killed": {"for": "500ms"}},
                writes={**WRITES, "rate": "60/s"},
            ))  # fmt: skip
            assert told["why"] == ""
            (stored,) = [each for each in told["ledger"] if each["place"] == "database"]
            assert stored["acknowledged"] > 20
            assert ("lost" if stored["lost"]["count"] else "kept") == CONTROLS[setting]
    finally:
        staging.end()
