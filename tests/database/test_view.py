"""What the server counted between two moments, beside what we did."""

import pytest
from servers import wait_until
from sqlalchemy import text

from campaign.database.address import read_address
from campaign.database.server import open_server, tag_of
from campaign.database.view import Activity, Comparison, ServerView, between, compare
from campaign.records import Outcome
from phases.database.crosscheck import judge_counts

STATEMENTS = 300


@pytest.fixture
def server(database_url):
    opened = open_server(read_address(database_url), tag=tag_of("test"))
    yield opened
    opened.close()


@pytest.fixture
def postgres(postgres_url):
    opened = open_server(read_address(postgres_url), tag=tag_of("test"))
    yield opened
    opened.close()


def work(server, statement="SELECT 1", times=STATEMENTS):
    """Statements on a session that ends, so that PostgreSQL has counted them."""
    other = open_server(server.address, tag="work")
    with other.reading() as connection:
        for _ in range(times):
            connection.execute(text(statement))
    other.close()


def test_our_count_and_the_servers_agree(server):
    before = ServerView.take(server)
    work(server)

    def compared():
        activity = between(before, ServerView.take(server))
        return compare(activity, statements=STATEMENTS, transactions=STATEMENTS)

    if server.kind.value == "sqlite":
        assert compared() is None
        return
    found = wait_until(lambda: (it := compared()) and it.theirs >= STATEMENTS and it, seconds=20)
    assert found.others == pytest.approx(0, abs=0.15)


def test_others_at_work_show(postgres):
    before = ServerView.take(postgres)
    work(postgres, times=3 * STATEMENTS)
    found = compare(
        wait_until(lambda: (it := between(before, ServerView.take(postgres))).transactions >= 900 and it),
        statements=STATEMENTS,
        transactions=STATEMENTS,
    )
    assert found.others > 1.5


def test_statements_are_counted_where_the_server_may_be_asked(postgres):
    assert ServerView.take(postgres).source == "pg_stat_database"
    postgres.run("CREATE EXTENSION pg_stat_statements")
    before = ServerView.take(postgres)
    work(postgres)
    after = between(before, ServerView.take(postgres))
    assert after.source == "pg_stat_statements"
    assert after.statements == pytest.approx(STATEMENTS, abs=30)


def test_a_lock_that_is_waited_for_and_the_sessions_are_seen(postgres):
    postgres.run("CREATE TABLE held (id integer)")
    raw = postgres.engine.raw_connection(), postgres.engine.raw_connection()
    holder, waiter = (each.driver_connection for each in raw)
    try:
        holder.execute("LOCK TABLE held")
        waiter.pgconn.send_query(b"SELECT * FROM held")
        view = wait_until(lambda: (it := ServerView.take(postgres)).waiting and it, seconds=10)
        assert (view.waiting, view.sessions["idle in transaction"], view.sessions["active"]) == (1, 1, 1)
        assert view.most_sessions == 100
    finally:
        for each in raw:
            each.invalidate()


def test_rows_and_cache_hits_are_differences(server):
    server.run("CREATE TABLE things (id integer)", "INSERT INTO things VALUES (1), (2), (3)")
    before = ServerView.take(server)
    work(server, "SELECT * FROM things", times=50)

    def done():
        found = between(before, ServerView.take(server))
        return found if found.counters.get("rows_scanned", 150) >= 150 else None

    found = wait_until(done, seconds=20)
    if server.kind.value == "sqlite":
        assert found.counters == {"freelist_count": 0, "page_count": 0, "page_size": 0}
    else:
        assert 0.5 <= found.cache_hits <= 1
        assert found.as_data()["counters"]["rows_scanned"] >= 150


def test_counters_that_were_reset_say_nothing():
    before = ServerView("pg_stat_database", {"commits": 500.0, "rollbacks": 1.0})
    after = ServerView("pg_stat_database", {"commits": 20.0, "rollbacks": 2.0})
    activity = between(before, after)
    assert (activity.transactions, dict(activity.counters)) == (None, {})
    assert compare(activity, statements=10, transactions=10) is None


def test_the_difference_is_a_share_of_ours():
    activity = Activity("SHOW GLOBAL STATUS", 130.0, None, None, {}, ServerView(""))
    found = compare(activity, statements=100, transactions=100)
    assert found == Comparison(100, 130.0, "statements")
    assert found.others == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("theirs", "said"),
    [(1010, "we sent 1,000"), (1500, "somebody else uses it too"), (400, "not all of ours reached it")],
)
def test_a_difference_is_told_and_held_against_nobody(theirs, said):
    compared = {"ours": 1000, "theirs": theirs, "unit": "statements", "others": theirs / 1000 - 1}
    found = judge_counts("queries", {"compared": compared})
    assert found.outcome is Outcome.INFORMATIONAL
    assert said in found.message
    assert found.message.startswith(f"the server counted {theirs:,} statements")
