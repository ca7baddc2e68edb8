"""What SQL says, read as its database reads it: texts, comments, and what only looks like a read."""

import pytest

from campaign.database.address import Kind, kind_of
from campaign.database.sql import for_control, parameters, refusal

MYSQL, POSTGRESQL = Kind.MYSQL, Kind.POSTGRESQL


@pytest.mark.parametrize(
    ("kind", "sql", "expected"),
    [
        (MYSQL, r"SELECT 'it\'s :x', :p", ("p",)),
        (MYSQL, r'SELECT "a\" :x", :p', ("p",)),
        (POSTGRESQL, r"SELECT '\', :p, ':x'", ("p",)),
        (POSTGRESQL, r"SELECT E'it\'s :x', :p", ("p",)),
        (None, "SELECT ':x', :p", ("p",)),
        (MYSQL, "SELECT :p # :x", ("p",)),
        (MYSQL, "SELECT 5--:p", ("p",)),
        (POSTGRESQL, "SELECT 5--:p", ()),
    ],
)
def test_a_name_in_a_text_or_comment_of_that_database_is_no_parameter(kind, sql, expected):
    assert parameters(sql, kind) == expected


@pytest.mark.parametrize(
    ("kind", "sql", "said"),
    [
        (MYSQL, "SELECT 1 /*!50000 INTO OUTFILE '/x/out' */", "MariaDB and MySQL execute"),
        (MYSQL, "SELECT 1 /*M! INTO OUTFILE '/x/out' */", "MariaDB and MySQL execute"),
        (None, "SELECT 1 /*!50000 INTO OUTFILE '/x/out' */", "MariaDB and MySQL execute"),
        (MYSQL, "SELECT 1 --1 INTO OUTFILE '/x/out'", "INTO, which writes"),
        (POSTGRESQL, r"SELECT '\'; DROP TABLE x --'", "more than one statement"),
        (MYSQL, r"SELECT '\\'; DROP TABLE x", "more than one statement"),
    ],
)
def test_what_only_looks_like_a_read_is_refused(kind, sql, said):
    assert said in refusal(sql, kind)


@pytest.mark.parametrize(
    ("kind", "sql"),
    [(MYSQL, r"SELECT 'a\'; b'"), (POSTGRESQL, r"SELECT E'a\'; b'"), (None, "SELECT '/*!' /* plain */")],
)
def test_a_plain_read_is_none_the_less_for_its_quotes(kind, sql):
    assert refusal(sql, kind) == ""


def test_control_drivers_get_quoted_colons_and_percent_signs_as_they_are():
    sql = 'SELECT 7 % 2 AS "a :x % b", :n, :n'
    assert for_control(sql, POSTGRESQL) == 'SELECT 7 %% 2 AS "a :x %% b", %(n)s, %(n)s'
    assert for_control(sql, Kind.SQLITE) == sql


def test_the_kind_of_a_database_is_the_first_word_of_its_url():
    urls = ("mariadb+asyncmy://root@h/x", "postgresql://h/x", "sqlite:////x", "redis://h", "")
    assert [kind_of(url) for url in urls] == [MYSQL, POSTGRESQL, Kind.SQLITE, None, None]
