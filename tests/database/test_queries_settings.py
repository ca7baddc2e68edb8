"""The user's own statements in the campaign file: what is a mistake, and where."""

import pytest

from campaign.config.mistakes import CampaignFileError
from campaign.config.read import read
from phases.database import INFO
from phases.database.pattern import OneOf, Pattern, Rendered, Statement

FILE = """
name: a gate
target:
  url: http://127.0.0.1:9
  environment: {environment}
  database: sqlite:////nowhere/x.sqlite
phases:
  database:
    queries:
      one: {query}
{more}
"""


def settings(query, *, environment="staging", more="", folder=None):
    text = FILE.format(query=query, environment=environment, more=more)
    if folder is None:
        source = text
    else:
        source = folder / "campaign.yaml"
        source.write_text(text)
    campaign = read(source, phases={"database": INFO}, environ={})
    return campaign.phases[0].settings


def mistakes(query, **more):
    with pytest.raises(CampaignFileError) as raised:
        settings(query, **more)
    return [
        (each.place.line, each.key.removeprefix("phases.database."), each.found)
        for each in raised.value.mistakes
    ]


def test_a_query_is_a_pattern_with_parameters_that_are_drawn():
    query = (
        "{sql: 'SELECT * FROM t WHERE a = :a AND b = :b AND c = :c AND d::text = :c', weight: 5, "
        "params: {a: 7, b: '{{ random.int(1, 9) }}', c: [x, y]}}"
    )
    found = settings(query).queries["one"].pattern("one")
    params = {"a": 7, "b": Rendered("{{ random.int(1, 9) }}"), "c": OneOf(("x", "y"))}
    sql = "SELECT * FROM t WHERE a = :a AND b = :b AND c = :c AND d::text = :c"
    assert found == Pattern("one", 5, (Statement(sql, params),), folder=found.folder)


def test_limits_of_its_own_replace_the_shipped_one():
    found = settings("{sql: SELECT 1, limits: {p95: 9ms, mean: {limit: 3ms, severity: minor}}}")
    planned = found.queries["one"].limits.given()
    assert sorted(planned) == ["mean", "p95"]


@pytest.mark.parametrize(
    ("query", "key", "found"),
    [
        ("{sql: UPDATE t SET a = 1}", "sql", "UPDATE, which is no query"),
        ("{sql: SELECT 1; DROP TABLE t}", "sql", "more than one statement"),
        ("{sql: WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x}", "sql", "DELETE, which writes"),
        ("{sql: SELECT * INTO u FROM t}", "sql", "INTO, which writes"),
        ("{sql: SELECT * FROM t FOR UPDATE}", "sql", "a query that locks rows (FOR ...)"),
        ("{sql: 'SELECT :a, :b', params: {a: 1}}", "params", "no value for :b"),
        ("{sql: SELECT 1, params: {a: 1}}", "params", "a, which it does not name"),
        ("{sql: \"SELECT ':a'\", params: {a: 1}}", "params", "a, which it does not name"),
        ("{sql: 'SELECT :a'}", "", "no value for :a"),
        ("{sql: 'SELECT :a', params: {a: {b: 1}}}", "params", "a: {'b': 1}"),
        ("{sql: 'SELECT :a', params: {a: []}}", "params", "a: []"),
        ("{sql: 'SELECT :a', params: {a: .nan}}", "params", "a: nan"),
        ("{sql: 'SELECT :a', params: {a: '{{ nobody }}'}}", "params", None),
        ("{sql: 'SELECT :a', params: [1]}", "params", "[1]"),
        ("{weight: 2}", "", "neither sql nor python"),
        ("{sql: SELECT 1, python: a.b}", "python", "both"),
        ("{python: nothing_of_that_name.work}", "python", None),
        ("{python: work}", "python", "'work'"),
        ("{sql: SELECT 1, limits: {mean: 5}}", "limits.mean", "5"),
        ("{sql: SELECT 1, weight: 0}", "weight", "0"),
        ("7", "", "7"),
    ],
)
def test_mistakes_have_a_line_and_a_key(query, key, found):
    ((line, place, said),) = mistakes(query)
    assert (line, place) == (10, f"queries.one.{key}".rstrip("."))
    assert found is None or said == found


def test_what_may_write_says_so_and_not_in_production():
    update = "{sql: UPDATE t SET a = 1, writes: true}"
    assert settings(update).queries["one"].writes
    assert mistakes(update, environment="production") == [
        (10, "queries.one.writes", "writes: true on production")
    ]
    assert settings("{sql: SELECT 1}", environment="production").queries


def test_python_is_found_beside_the_file_and_not_in_production(tmp_path):
    (tmp_path / "my_own_queries.py").write_text("async def report(connection):\n    return 1\n")
    query = "{python: my_own_queries.report}"
    found = settings(query, folder=tmp_path).queries["one"].pattern("one")
    assert (found.python, found.folder) == ("my_own_queries.report", str(tmp_path))
    ((_, place, said),) = mistakes(query, folder=tmp_path, environment="production")
    assert (place, said) == ("queries.one.python", "Python on production")


def test_the_run_has_users_or_a_rate():
    assert settings("{sql: SELECT 1}", more="    querying: {rate: 50/s}").querying.rate == 50
    ((_, place, _),) = mistakes("{sql: SELECT 1}", more="    querying: {users: 2, rate: 50/s}")
    assert place == "querying"
    limited = "{sql: SELECT 1, limits: {rate: 60/s}}"
    assert settings(limited, more="    querying: {rate: 60/s}")
    ((_, _, found),) = mistakes(limited, more="    querying: {rate: 50/s}")
    assert found == "queries, limits of one: {rate: 60/s}, and 50/s are offered"
    assert settings("{sql: SELECT 1}").quick().querying.hold == 3


@pytest.mark.parametrize("name", ["all", "'a b'", "1"])
def test_names_are_names(name):
    text = FILE.format(query="{sql: SELECT 1}", environment="staging", more="").replace("one:", f"{name}:")
    with pytest.raises(CampaignFileError):
        read(text, phases={"database": INFO}, environ={})
