"""Data are not kept for ever, no more is asked for than is needed, nothing personal is kept undeclared: a
sound service passes, and a defect fails the checks that speak of it.
"""

import contextlib
import json
import sqlite3
import threading
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from family import SAFETY, judged, read_file, running_demo
from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table

from campaign.records import Evidence, Outcome
from phases.safety.retention.judge import findings
from phases.safety.retention.moments import column_of, like, seconds_of
from phases.safety.retention.shapes import Kind, kind_of_name, kinds_in
from phases.safety.settings import PartName, SafetySettings

OTHERS = [name for name in PartName.__args__ if name != "retention"]
NO_REDIS = {"retention.ttl": "not_applicable"}


def of_retention(found):
    return {check: each for check, each in found.items() if check.startswith("retention.")}


def outcomes(found):
    return {
        check: each.outcome.value
        for check, each in of_retention(found).items()
        if each.outcome is not Outcome.PASSED
    }


def section(**changes):
    return {**SAFETY["retention"], **changes}


def test_a_sound_service_keeps_its_policy_and_asks_for_little():
    with running_demo() as (url, database):
        found, evidence = judged(url, database=database, skip=OTHERS)
    assert outcomes(found) == NO_REDIS
    assert of_retention(found).keys() == NO_REDIS.keys() | {
        "retention.age.activities",
        "retention.age.exports",
        "retention.age.sessions",
        "retention.location",
        "retention.minimal.extra.add_activity",
        "retention.minimal.extra.create_child",
        "retention.minimal.optional.add_activity.detail",
        "retention.minimal.optional.create_child.interests",
        "retention.personal.biometric",
        "retention.personal.contact",
        "retention.personal.device",
        "retention.personal.identity",
        "retention.policy",
        "retention.purge.activities",
        "retention.purge.exports",
        "retention.purge.sessions",
    }
    assert evidence.find("retention.purge.sessions").value < 15
    assert evidence.facts["cast"]["left"] == {}


@pytest.mark.defects
def test_conversations_that_are_kept_for_ever_are_found():
    with running_demo("--defect", "sessions-without-ttl") as (url, database):
        found, _ = judged(url, database=database, skip=OTHERS, retention=section(optional={}, extra=[]))
    failed = [check for check, outcome in outcomes(found).items() if outcome == "failed"]
    assert failed == ["retention.purge.sessions"]
    assert "1 of 1 rows of sessions that were dated back are there 15 s later" in (
        found["retention.purge.sessions"].message
    )


@pytest.mark.defects
@pytest.mark.parametrize(
    ("options", "wanted"),
    [([], Outcome.PASSED), (["--defect", "keys-without-ttl"], Outcome.FAILED)],
    ids=["sound", "keys-without-ttl"],
)
def test_keys_without_an_end_are_found(redis_server, options, wanted):
    with running_demo("--redis-url", redis_server.url, "--leave-nothing", *options) as (url, database):
        text = read_file(url, database).replace(
            "health: GET /health", f'redis: "{redis_server.url}", health: GET /health'
        )
        shorter = section(purge=None, policy={}, optional={}, extra=[])
        found, _ = judged(url, file=text, skip=OTHERS, retention=shorter)
    assert found["retention.ttl"].outcome is wanted, found["retention.ttl"].message
    assert found["retention.personal.device"].outcome is Outcome.PASSED


@pytest.mark.defects
def test_old_rows_and_undeclared_personal_data_are_found_and_a_table_without_a_policy_is_not_tested():
    with running_demo() as (url, database):
        with contextlib.closing(sqlite3.connect(database.partition("///")[2])) as rows, rows:
            rows.execute("CREATE TABLE bears (id INTEGER PRIMARY KEY, profile TEXT, seen_at TEXT)")
            profile = {"model": "bear", "speaker": [0.1] * 192, "lastPlace": "52.52000, 13.40500"}
            rows.execute(
                "INSERT INTO bears (profile, seen_at) VALUES (?, '2001-01-01 12:00:00')",
                [json.dumps(profile)],
            )
            rows.execute("CREATE TABLE handsets (device_id TEXT)")
        policy = {"bears": "30d", "handsets": "30d", "nowhere": "1d", "sessions": "account"}
        found, _ = judged(
            url, database=database, skip=OTHERS,
            retention=section(policy=policy, purge=None, optional={}, extra=[]),
        )  # fmt: skip
    failed = {check for check, outcome in outcomes(found).items() if outcome == "failed"}
    assert failed == {
        "retention.age.bears",
        "retention.location",
        "retention.personal.biometric",
        "retention.personal.device",
    }
    assert "bears.profile.speaker (its name)" in found["retention.personal.biometric"].message
    assert "bears.profile.lastPlace (a pair of coordinates)" in found["retention.location"].message
    assert "handsets.device_id (its name)" in found["retention.personal.device"].message
    assert outcomes(found)["retention.policy"] == "inconclusive"
    assert "tables that the policy does not name: activities, children" in found["retention.policy"].message
    for missing in ("age.handsets", "age.nowhere", "purge", "minimal.optional", "minimal.extra"):
        assert outcomes(found)[f"retention.{missing}"] == "inconclusive", missing


class Greedy(BaseHTTPRequestHandler):
    """Keeps the whole of what it is sent, and insists on a field that it does not need."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status = 201 if body.get("school") else 422
        if status == 201:
            with contextlib.closing(sqlite3.connect(self.server.database)) as rows, rows:
                rows.execute("INSERT INTO notes VALUES (?)", [json.dumps(body)])
        self.send_response(status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def greedy(tmp_path):
    path = tmp_path / "notes.db"
    with contextlib.closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("CREATE TABLE notes (body TEXT)")
    with ThreadingHTTPServer(("127.0.0.1", 0), Greedy) as server:
        server.database = path
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", path
        server.shutdown()
        thread.join()


def test_a_service_that_insists_on_more_than_it_needs_and_keeps_all_it_is_sent_is_found(greedy):
    url, path = greedy
    text = f"""
name: notes
target: {{url: "{url}", database: "sqlite:///{path}"}}
operations:
  note: {{request: POST /note, json: {{text: "{{{{ canary }}}}", school: "Hill", mood: "good"}}, expect: 201}}
phases: {{load: {{scenarios: {{one: {{users: 1, hold: 1s}}}}}}, safety: {{}}}}
users: {{writer: {{tasks: {{note: 1}}}}}}
"""
    more = {
        "role": "writer",
        "optional": {"note": ["school", "mood", "colour"]},
        "extra": ["note"],
        "works": ["note"],
    }
    nothing = {name: {} for name in ("resources", "allow", "consent", "deletion")}
    found, _ = judged(
        url, file=text, skip=OTHERS, retention=more, roles={"writer": {"start": ["note"]}}, **nothing
    )
    assert found["retention.minimal.optional.note.school"].outcome is Outcome.FAILED
    assert found["retention.minimal.optional.note.mood"].outcome is Outcome.PASSED
    assert found["retention.minimal.optional.note.colour"].outcome is Outcome.INCONCLUSIVE
    assert found["retention.minimal.extra.note"].outcome is Outcome.FAILED
    assert "stored a field that nobody asked for, in database notes" in (
        found["retention.minimal.extra.note"].message
    )


@pytest.mark.parametrize("given", [{}, SAFETY["retention"]], ids=["nothing mapped", "never reached"])
def test_what_was_not_asked_is_not_tested(given):
    settings = SafetySettings.model_validate({**SAFETY, "retention": given})
    found = list(findings(Evidence(), settings.retention))
    assert {each.outcome for each in found} == {Outcome.INCONCLUSIVE}
    assert all("not tested" in each.message for each in found)
    assert len(found) >= 9


def test_a_policy_reads_durations_and_the_account():
    settings = SafetySettings.model_validate({"retention": {"policy": {"a": "900d", "b": "account"}}})
    kept = {name: each.keep for name, each in settings.retention.policy.items()}
    assert kept == {"a": 900 * 86_400.0, "b": "account"}
    assert SafetySettings.model_validate(settings.model_dump()).retention == settings.retention
    with pytest.raises(ValueError, match="or the word account"):
        SafetySettings.model_validate({"retention": {"policy": {"a": "for ever"}}})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("voice_embedding", Kind.BIOMETRIC), ("faceVector", Kind.BIOMETRIC), ("lat", Kind.LOCATION),
        ("gps_position", Kind.LOCATION), ("deviceId", Kind.DEVICE), ("ip_address", Kind.DEVICE),
        ("home_address", Kind.CONTACT), ("email", Kind.CONTACT), ("name", Kind.IDENTITY),
        ("birth_year", Kind.IDENTITY), ("created_at_ms", None), ("family", None), ("digest", None),
        ("platform", None), ("voice_enabled", None), ("translation", None), ("filename", None),
    ],
)  # fmt: skip
def test_names_of_columns_are_told_apart(name, kind):
    assert kind_of_name(name) is kind


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("[" + ", ".join(["0.5"] * 256) + "]", {Kind.BIOMETRIC}),
        ([0.25] * 192, {Kind.BIOMETRIC}),
        ([0.25] * 100, set()),
        ("at 52.52000, 13.40500", {Kind.LOCATION}),
        ([52.52, 13.405], {Kind.LOCATION}),
        ("00:1A:2b:3C:4d:5E", {Kind.DEVICE}),
        ("call +491701234567", {Kind.CONTACT}),
        ("(202) 555-0123", {Kind.CONTACT}),
        ("pat@example.com", {Kind.CONTACT}),
        ("2026-01-01 12:00:00", set()),
        ("1767225600000", set()),
        ("550e8400-e29b-41d4-a716-446655440000", set()),
        ("12, 13 and 14.5 apples", set()),
        ('{"phone": "", "email": "x"}', {Kind.CONTACT}),
        (7.25, set()),
    ],
)
def test_shapes_of_values_are_told_apart(value, kinds):
    assert {kind for _, kind, _ in kinds_in("column", value)} == kinds


def test_moments_are_read_and_written_as_they_stand():
    noon = 978_350_400.0
    written = [
        978_350_400, 978_350_400_000, noon, "2001-01-01 12:00:00", "2001-01-01T12:00:00+00:00",
        datetime(2001, 1, 1, 12, tzinfo=UTC), datetime(2001, 1, 1, 12, tzinfo=UTC).replace(tzinfo=None),
    ]  # fmt: skip
    assert {seconds_of(each) for each in written} == {noon}
    assert [like(each, noon) for each in written] == written
    assert like(date(2026, 5, 1), noon) == date(2001, 1, 1)
    assert [seconds_of(each) for each in ("soon", None, True)] == [None, None, None]


def test_the_column_of_a_moment_is_found_by_its_name_or_not_at_all():
    def table(*columns):
        return Table("one", MetaData(), *columns)

    def made():
        return Column("created_at_ms", BigInteger)

    assert column_of(table(made(), Column("used_at", BigInteger)), "") == "created_at_ms"
    assert column_of(table(Column("a", DateTime), Column("b", DateTime)), "") == ""
    assert column_of(table(Column("seen_at", String)), "") == "seen_at"
    assert column_of(table(made()), "missing") == ""
