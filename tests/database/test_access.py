"""What is said where a database cannot be used: a wrong word in its URL, a missing driver, no way in."""

import sys
from importlib import util
from pathlib import Path

import pytest
from servers import MariaDb, Postgres

from campaign.database.address import AddressError, DriverMissingError, read_address
from campaign.database.server import AccessError, open_server
from campaign.errors import TargetUnreachableError


def refusal(url):
    with pytest.raises((AccessError, TargetUnreachableError)) as refused:
        open_server(read_address(url), tag="t")
    return refused.value


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [
        ("postgresql://127.0.0.1/x", "psycopg", "pip install 'campaign[postgres]'"),
        ("mysql://127.0.0.1/x", "pymysql", "pip install 'campaign[mysql]'"),
        ("mysql://127.0.0.1/x", "asyncmy", "pip install 'campaign[mysql]'"),
    ],
)
def test_a_driver_that_is_not_installed_is_named_with_the_extra_that_brings_it(
    monkeypatch, url, driver, extra
):
    there = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *more: None if name == driver else there(name, *more))
    with pytest.raises(DriverMissingError, match=driver) as missing:
        read_address(url)
    assert extra in str(missing.value)


def test_a_driver_that_cannot_be_imported_is_told_with_the_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setattr(util, "find_spec", lambda *_: object())
    with pytest.raises(DriverMissingError, match="cannot be imported"):
        read_address("postgresql://127.0.0.1/x")


def test_a_port_that_is_none_is_a_mistake_in_the_url():
    with pytest.raises(AddressError, match=r"target\.database"):
        read_address("postgresql://127.0.0.1:none/x")


@pytest.fixture(scope="module")
def strict_postgres():
    """A server that asks `reader` for a password."""
    server = Postgres()
    server.sql("CREATE ROLE reader LOGIN PASSWORD 'right'")
    rules = Path(server.folder, "data", "pg_hba.conf")
    rules.write_text(f"host all reader 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
    server.sql("SELECT pg_reload_conf()")
    yield server
    server.end()


@pytest.fixture(scope="module")
def strict_mariadb():
    server = MariaDb()
    for host in ("127.0.0.1", "localhost"):
        server.sql(f"CREATE USER reader@'{host}' IDENTIFIED BY 'right'", "")
        server.sql(f"GRANT SELECT ON *.* TO reader@'{host}'", "")
    yield server
    server.end()


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_wrong_password_and_an_unknown_database_are_told_in_the_servers_words(request, kind):
    server = request.getfixturevalue(f"strict_{kind}")
    scheme, known, refused, unknown = {
        "postgres": ("postgresql", "postgres", "password authentication failed", "does not exist"),
        "mariadb": ("mysql", "mysql", "Access denied for user", "Unknown database"),
    }[kind]
    wrong = refusal(f"{scheme}://reader:s3cret-guess@127.0.0.1:{server.port}/{known}")
    assert (type(wrong), refused in str(wrong)) == (AccessError, True)
    assert "s3cret-guess" not in str(wrong)
    assert "OperationalError" not in str(wrong), "what Python calls it is no help"
    nowhere = refusal(f"{scheme}://reader:right@127.0.0.1:{server.port}/nowhere")
    assert (type(nowhere), unknown in str(nowhere)) == (AccessError, True)


def test_a_file_that_is_no_database_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing for SQLite\n" * 100)
    refused = refusal(f"sqlite:///{tmp_path}/notes.txt")
    assert (type(refused), "is not a database" in str(refused)) == (AccessError, True)
