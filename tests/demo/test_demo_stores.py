"""What a start makes of stores that an earlier one has used, and what one leaves that is to leave nothing."""

import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import create_engine, inspect

from campaign.demo.schema import metadata

SMALL = ("--seed-parents=5", "--seed-history=500", "--requests-per-second=1000")
OURS = set(metadata.tables)


def on(url):
    return f"--database-url={url}"


def engine_of(url):
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def look(url, what):
    """What this function sees with an inspector of the database."""
    engine = engine_of(url)
    with closing(engine.connect()) as connection:
        found = what(inspect(connection))
    engine.dispose()
    return found


def tables(url):
    return look(url, lambda inspector: set(inspector.get_table_names()))


def references(url):
    return look(url, lambda inspector: sum(len(inspector.get_foreign_keys(name)) for name in OURS))


def run(url, statement):
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def count(url, statement):
    engine = engine_of(url)
    with engine.begin() as connection:
        found = connection.exec_driver_sql(statement).scalar()
    engine.dispose()
    return found


def refusal(*options):
    """The exit code and the words of a start that is refused."""
    command = [sys.executable, "-m", "campaign.demo", "--port=0", *SMALL, *options]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stderr


EVERY_REFERENCE = sum(len(table.foreign_key_constraints) for table in metadata.tables.values())


@pytest.mark.postgres
def test_foreign_keys_go_and_come_back_with_the_defect_on_tables_that_are_there(start, postgres_url):
    seen = []
    for defect in ((), ("--defect=no-foreign-keys",), ()):
        with start(*SMALL, on(postgres_url), *defect) as demo:
            seen.append(references(postgres_url))
            if defect:
                http = demo.login()
                (child,) = http.get("/api/children").json()["children"]
                assert http.delete(f"/api/children/{child['id']}").status_code == 204
    assert seen == [EVERY_REFERENCE, 0, EVERY_REFERENCE]
    orphans = "SELECT count(*) FROM messages WHERE child_id NOT IN (SELECT id FROM children)"
    assert count(postgres_url, orphans) == 0


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        ((), ("--defect=no-foreign-keys",), "have foreign keys, and SQLite cannot change that"),
        (("--defect=no-foreign-keys",), (), "have no foreign keys, and SQLite cannot change that"),
    ],
)
def test_sqlite_says_that_foreign_keys_cannot_be_changed(start, sqlite_url, first, then, words):
    with start(*SMALL, on(sqlite_url), *first):
        pass
    code, said = refusal(on(sqlite_url), *then)
    assert (code, said.count("\n")) == (2, 1), said
    assert words in said


@pytest.mark.postgres
def test_a_table_of_somebody_else_is_not_touched(postgres_url):
    run(postgres_url, "CREATE TABLE messages (id int, child_id text)")
    assert refusal(on(postgres_url)) == (
        2,
        "the database has a table messages that is not the demo's: give the demo a database of its own\n",
    )
    assert tables(postgres_url) == {"messages"}


@pytest.mark.postgres
def test_what_a_start_created_is_gone_at_its_end_if_so_asked(start, postgres_url):
    run(postgres_url, "CREATE TABLE somebodys (id int)")
    with start(*SMALL, on(postgres_url), "--leave-nothing", "--defect=lazy-commit"):
        assert tables(postgres_url) == OURS | {"somebodys"}
    assert tables(postgres_url) == {"somebodys"}
    assert count(postgres_url, "SHOW synchronous_commit") == "on"


@pytest.mark.postgres
def test_connections_that_were_never_given_back_keep_no_table_alive(start, postgres_url):
    with start(*SMALL, on(postgres_url), "--leave-nothing", "--defect=connection-leak") as demo:
        assert demo.login(1).get("/api/children/nobody").status_code == 404
    assert tables(postgres_url) == set()


@pytest.mark.postgres
def test_tables_that_were_there_before_are_kept_and_are_healthy_again(start, postgres_url):
    for options in ((), ("--leave-nothing", "--defect=no-foreign-keys")):
        with start(*SMALL, on(postgres_url), *options):
            pass
    assert (tables(postgres_url), references(postgres_url)) == (OURS, EVERY_REFERENCE)
    assert count(postgres_url, "SELECT count(*) FROM parents") == 5 + 1  # the operator


def test_nothing_is_left_in_a_sqlite_file_either(start, sqlite_url):
    with start(*SMALL, on(sqlite_url), "--leave-nothing"):
        assert tables(sqlite_url) == OURS
    assert tables(sqlite_url) == set()


def keys(redis_server):
    return set(redis_server.say("KEYS", "*").split())


@pytest.mark.redis
def test_a_healthy_start_removes_the_endless_counters_of_an_earlier_one(start, redis_server):
    redis_server.say("FLUSHALL")
    redis_server.say("SET", "teddy:count:parent:x:1", "3")
    redis_server.say("SET", "teddy:count:parent:y:2", "3", "EX", "100")
    redis_server.say("SET", "teddy:other", "3")
    with start(*SMALL, f"--redis-url={redis_server.url}"):
        assert keys(redis_server) == {"teddy:count:parent:y:2", "teddy:other"}


@pytest.mark.redis
def test_the_keys_of_a_start_are_gone_at_its_end_if_so_asked(start, redis_server):
    redis_server.say("FLUSHALL")
    kept = {"teddy:count:parent:x:1", "teddy:other", "somebodys"}
    for key in kept:
        redis_server.say("SET", key, "3", "EX", "100")
    options = (f"--redis-url={redis_server.url}", "--leave-nothing", "--defect=keys-without-ttl")
    with start(*SMALL, *options) as demo:
        assert demo.login().get("/api/user/me").status_code == 200
        assert keys(redis_server) > kept
    assert keys(redis_server) == kept


def test_a_start_whose_standard_input_has_ended_already_ends_without_a_word():
    command = [sys.executable, "-m", "campaign.demo", "--port=0", "--exit-with-stdin", *SMALL]
    for _ in range(3):
        done = subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stderr) == (0, "")
