"""What only the API shows of a service's database: the healthy demo has no fault, each defect is found by
name.
"""

import asyncio
import re
import select
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
from scene import make_context, open_scene
from servers import Postgres
from sqlalchemy.exc import SQLAlchemyError

from campaign.config.read import read
from campaign.database.address import read_address
from campaign.database.server import open_server
from campaign.records import Outcome, Severity
from campaign.registry import installed
from phases.database.scene import Scene
from phases.database.service.counters import open_counter
from phases.database.service.lock import held_lock
from phases.database.service.part import ServicePart

pytestmark = [pytest.mark.postgres, pytest.mark.redis]

CAMPAIGN = """
name: service
target: {url: URL}
operations:
  login:
    request: POST /api/auth/login/json
    json: {email: "parent{{ user.number:04 }}@example.com", password: demo-password}
    expect: 200
    save: {token: $.access_token}
  children:
    request: GET /api/children
    auth: "{{ token }}"
    expect: 200
    save:
      child_id: "$.children[0].id"
      session_id: "$.children[0].session_id"
      child_name: "$.children[0].name"
      child_interests: "$.children[0].interests"
  converse:
    request: POST /api/conversation
    auth: "{{ token }}"
    json: {child_id: "{{ child_id }}", session_id: "{{ session_id }}", text: Hello}
    expect: 200
  history: {request: "GET /api/session/{{ session_id }}/history", auth: "{{ token }}", expect: 200}
  dashboard: {request: GET /api/parent/dashboard, auth: "{{ token }}", expect: 200}
  stats: {request: GET /api/stats, auth: "{{ token }}", expect: 200}
  me: {request: GET /api/user/me, auth: "{{ token }}", expect: 200}
  get_child: {request: "GET /api/children/{{ child_id }}", auth: "{{ token }}", expect: 200}
  missing_child: {request: GET /api/children/nobody, auth: "{{ token }}", expect: 404}
  rename:
    request: PATCH /api/children/{{ child_id }}
    auth: "{{ token }}"
    json: {name: "Kim {{ iteration }}"}
    expect: 200
  set_interests:
    request: PATCH /api/children/{{ child_id }}
    auth: "{{ token }}"
    json: {interests: "chess {{ iteration }}"}
    expect: 200
  put_back:
    request: PATCH /api/children/{{ child_id }}
    auth: "{{ token }}"
    json: {name: "{{ child_name }}", interests: "{{ child_interests }}"}
    expect: 200
  give_consent:
    request: POST /api/children/{{ child_id }}/consent
    auth: "{{ token }}"
    json: {kind: collection, verification: {method: signed_form, reference: campaign}}
    expect: 200
  revoke_consent:
    request: DELETE /api/children/{{ child_id }}/consent
    query: {kind: collection}
    auth: "{{ token }}"
    expect: 200
phases:
  database:
    skip: [workload, queries, catalogue, pool, isolation, invariants, durability, recovery, cache]
    service:
      user: 10
      start: [login, children]
      finish: [give_consent, put_back]
      times: 12
      races:
        profile:
          kind: lost update
          first: rename
          second: set_interests
          read: get_child
          expect: {$.name: "Kim {{ iteration }}", $.interests: "chess {{ iteration }}"}
        consent:
          kind: write after
          before: give_consent
          event: revoke_consent
          write: converse
          read: stats
          count: $.messages
        own_change:
          kind: read your writes
          write: rename
          read: get_child
          expect: {$.name: "Kim {{ iteration }}"}
      statements: {history: "< 10", dashboard: "< 10"}
      connections:
        crowd: {operations: [history, me], users: 6, seconds: 1s}
        waiting: {operation: converse, lock: consents, beside: me, at_once: 2}
        leak: {operations: missing_child, probe: me, times: 10}
"""
NAMES = {
    "service.connections.crowd_p95",
    "service.race.profile",
    "service.race.consent",
    "service.race.own_change",
    "service.statements.history",
    "service.statements.dashboard",
    "service.connections.crowd",
    "service.connections.pool",
    "service.connections.leak",
    "service.put_back",
}


@contextmanager
def demo(*options):
    """The URL of a demo service of our own."""
    command = [sys.executable, "-m", "campaign.demo", "--port", "0", "--exit-with-stdin"]
    small = ["--seed-parents=20", "--seed-history=2000", "--requests-per-second=1000"]
    with subprocess.Popen(
        [*command, *small, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert select.select([process.stdout], [], [], 30)[0]
            yield process.stdout.readline().split()[1]
        finally:
            process.stdin.close()
            process.wait(15)


def found(url, database, **changes):
    """The findings by name, and the evidence, of the part against this service."""
    campaign = read(CAMPAIGN.replace("URL", url), phases=installed().infos(), environ={})
    chosen = campaign.phases[0].settings
    kept = changes.pop("connections", {})
    connections = chosen.service.connections.model_copy(update=kept)
    service = chosen.service.model_copy(update={**changes, "connections": connections})
    settings = chosen.model_copy(update={"service": service})
    evidence = asyncio.run(observed(campaign, settings, database))
    return {each.check: each for each in ServicePart().judge(evidence, settings)}, evidence


async def observed(campaign, settings, database):
    asked = {"target": campaign.target, "vocabulary": campaign.vocabulary}
    async with asyncio.timeout(60):
        if not database:
            context = make_context(settings, **asked)
            await ServicePart().collect(Scene(context, settings, None, "", None))
            return context.record.evidence
        async with open_scene(database, settings, **asked) as scene:
            await ServicePart().collect(scene)
            return scene.context.record.evidence


def on_postgres(postgres_url, redis_server, *defects, **changes):
    options = [f"--defect={each}" for each in defects]
    url = postgres_url.replace("postgresql:", "postgresql+psycopg:")
    with demo(f"--database-url={url}", f"--redis-url={redis_server.url}", *options) as there:
        return found(there, postgres_url, **changes)


def failed(findings):
    return {name for name, each in findings.items() if each.outcome is Outcome.FAILED}


def test_the_healthy_service_has_none_and_is_left_as_it_was(postgres_server, postgres_url, redis_server):
    findings, evidence = on_postgres(postgres_url, redis_server)
    assert {name: each.message for name, each in findings.items() if each.outcome is not Outcome.PASSED} == {}
    assert set(findings) == NAMES
    assert evidence.facts["service"]["races"]["consent"]["overlapped"] > 0
    name = postgres_url.rpartition("/")[2]
    assert postgres_server.sql("SELECT count(*) FROM children WHERE name LIKE 'Kim%'", name) == "0"
    assert postgres_server.sql("SELECT count(*) FROM consents WHERE state <> 'granted'", name) == "0"
    assert postgres_server.sql("SELECT count(*) FROM pg_extension WHERE extname LIKE 'pg_stat%'", name) == "0"


DEFECTS = {
    "lost-update": (
        "races",
        "service.race.profile",
        Severity.BLOCKER,
        r"lost changes that were both confirmed in \d+ of \d+ runs",
    ),
    "write-skew": (
        "races",
        "service.race.consent",
        Severity.BLOCKER,
        r"stored .* in \d+ of \d+ runs: revoke_consent",
    ),
    "stale-cache": ("races", "service.race.own_change", Severity.BLOCKER, r"read something old .*, still so"),
    "n-plus-one": (
        "statements",
        "service.statements.history",
        Severity.CRITICAL,
        r"for one history was 2\d[.\d]* statements",
    ),
    "pool-too-small": (
        "waiting",
        "service.connections.pool",
        Severity.CRITICAL,
        r"1 request .* 1 session .* too small",
    ),
    "connection-leak": (
        "leak",
        "service.connections.leak",
        Severity.CRITICAL,
        r"3 sessions .* connections leak",
    ),
}


def only(section):
    """The changes that leave the part only this section."""
    connections = {"crowd": None, "waiting": None, "leak": None}
    connections.pop(section, None)
    others = {name: {} for name in ("races", "statements") if name != section}
    return {"connections": connections, **others}


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_found_by_name_and_nothing_else(postgres_url, redis_server, defect):
    section, check, severity, words = DEFECTS[defect]
    findings, _ = on_postgres(postgres_url, redis_server, defect, **only(section))
    assert failed(findings) == {check}
    assert findings[check].severity is severity
    assert re.search(words, findings[check].message), findings[check].message


def test_on_sqlite_what_the_api_shows_is_found_and_what_no_server_counts_does_not_apply(sqlite_url):
    with demo(f"--database-url={sqlite_url}", "--defect=connection-leak", "--defect=stale-cache") as there:
        findings, _ = found(there, sqlite_url)
    assert failed(findings) == {"service.race.own_change", "service.connections.leak"}
    leak = findings["service.connections.leak"].message
    assert re.search(r"me fails: .*503 after 5.* s, alone before .* ms: connections leak", leak)
    outcomes = {findings[each].outcome for each in ("service.statements.history", "service.connections.pool")}
    assert outcomes == {Outcome.NOT_APPLICABLE}


@pytest.fixture(scope="module")
def uncounted():
    """A PostgreSQL that counts no statements."""
    server = Postgres(shared_preload_libraries="")
    yield server
    server.end()


@pytest.mark.parametrize(
    ("defects", "outcome"), [((), Outcome.INCONCLUSIVE), (("n-plus-one",), Outcome.FAILED)]
)
def test_where_only_transactions_are_counted_many_are_still_proven_and_few_prove_nothing(
    uncounted, redis_server, fresh_name, defects, outcome
):
    findings, _ = on_postgres(uncounted.database(fresh_name), redis_server, *defects, **only("statements"))
    history = findings["service.statements.history"]
    assert history.outcome is outcome, history.message


def test_mariadb_counts_the_statements_of_others_and_not_ours(mariadb_server, mariadb_url):
    address = read_address(mariadb_url)
    with (
        closing(open_server(address, tag="campaign/test")) as server,
        closing(open_counter(server, None)) as counter,
        closing(open_server(address, tag="other")) as other,
    ):
        before, again = counter.read(), counter.read()
        for _ in range(5):
            other.scalar("SELECT 1")
        assert (again, counter.read()) == (before, before + 5)


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_locked_table_lets_nobody_in_until_the_block_ends(request, kind):
    url = request.getfixturevalue(f"{kind}_url")

    async def observed():
        with closing(open_server(read_address(url), tag="campaign/test")) as server:
            server.run("CREATE TABLE things (id int)")
            async with held_lock(server, "things"):
                reading = asyncio.create_task(asyncio.to_thread(server.rows, "SELECT * FROM things"))
                done, _ = await asyncio.wait([reading], timeout=0.3)
                assert not done
            assert await asyncio.wait_for(reading, 5) == []
            with pytest.raises(SQLAlchemyError):
                async with held_lock(server, "nothing"):
                    pass
            assert server.rows("SELECT * FROM things") == []

    asyncio.run(observed())


def test_a_run_that_is_stopped_ends_soon_puts_back_what_it_changed_and_claims_nothing(
    postgres_server, postgres_url
):
    url = postgres_url.replace("postgresql:", "postgresql+psycopg:")

    async def stopped(campaign):
        settings = campaign.phases[0].settings
        settings = settings.model_copy(
            update={"service": settings.service.model_copy(update={"times": 1000})}
        )
        asked = {"target": campaign.target, "vocabulary": campaign.vocabulary}
        async with open_scene(postgres_url, settings, **asked) as scene:
            running = asyncio.create_task(ServicePart().collect(scene))
            await asyncio.sleep(1.0)
            assert not running.done()
            scene.context.stop.request()
            await asyncio.wait_for(running, 3)
            return list(ServicePart().judge(scene.context.record.evidence, settings))

    with demo(f"--database-url={url}") as there:
        campaign = read(CAMPAIGN.replace("URL", there), phases=installed().infos(), environ={})
        findings = asyncio.run(stopped(campaign))
    assert {each.check for each in findings} == NAMES
    undecided = [each.check for each in findings if each.outcome is Outcome.INCONCLUSIVE]
    assert set(undecided) >= NAMES - {"service.race.profile", "service.put_back"}
    name = postgres_url.rpartition("/")[2]
    assert postgres_server.sql("SELECT count(*) FROM children WHERE name LIKE 'Kim%'", name) == "0"
