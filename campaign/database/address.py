"""Where a database is and which drivers speak to it: a SQLAlchemy URL, read and checked once."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from campaign.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import URL


class Kind(StrEnum):
    """The databases that we know; MariaDB and MySQL are told apart when they answer."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    SQLITE = "sqlite"


@dataclass(frozen=True, slots=True)
class Drivers:
    """The Python packages that speak to a database: `control` for the engine of set-up and checks, `load` in
    order of preference for the statements that are timed. `extra` installs them.
    """

    control: str
    load: tuple[str, ...]
    extra: str


DRIVERS: Mapping[Kind, Drivers] = {
    Kind.POSTGRESQL: Drivers("psycopg", ("asyncpg", "psycopg"), "postgres"),
    Kind.MYSQL: Drivers("pymysql", ("asyncmy",), "mysql"),
    Kind.SQLITE: Drivers("pysqlite", ("aiosqlite",), ""),
}
_KINDS: Mapping[str, Kind] = {
    "postgresql": Kind.POSTGRESQL,
    "postgres": Kind.POSTGRESQL,
    "mysql": Kind.MYSQL,
    "mariadb": Kind.MYSQL,
    "sqlite": Kind.SQLITE,
}
_BUILT_IN = frozenset({"pysqlite"})


class DriverMissingError(ConfigurationError):
    """The Python driver of a database is not installed; the message names the extra that brings it."""

    slug = "driver-missing"


class AddressError(ConfigurationError):
    """The URL of a database cannot be used."""

    slug = "database-url"


@dataclass(frozen=True, slots=True)
class Address:
    """A database's address. `control` and `load` are the SQLAlchemy URLs of the synchronous and of the
    asynchronous engine, passwords inside; `shown` is for people.
    """

    kind: Kind
    control: URL
    load: URL
    host: str
    port: int
    shown: str


def kind_of(url: str) -> Kind | None:
    """Which family of databases a URL speaks of, by its first word; None where it is none of ours."""
    return _KINDS.get(url.partition(":")[0].partition("+")[0].lower())


def read_address(url: str) -> Address:
    """The address behind a SQLAlchemy URL, whichever driver it names.

    Raises AddressError for what is no such URL, DriverMissingError where a driver is not installed.
    """
    from sqlalchemy import make_url  # noqa: PLC0415 - only where a database is asked
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise AddressError(f"target.database is no URL of a database; allowed: {_EXAMPLES}") from None
    backend, _, named = parsed.drivername.partition("+")
    kind = _KINDS.get(backend)
    if kind is None:
        raise AddressError(f"target.database: {backend!r} is not supported; allowed: {_EXAMPLES}")
    drivers = DRIVERS[kind]
    control = parsed.set(drivername=f"{kind.value}+{_installed((drivers.control,), drivers)}")
    wanted = (named, *drivers.load) if named in drivers.load else drivers.load
    load = parsed.set(drivername=f"{kind.value}+{_installed(wanted, drivers)}")
    port = parsed.port or {Kind.POSTGRESQL: 5432, Kind.MYSQL: 3306}.get(kind, 0)
    return Address(kind, control, load, parsed.host or "", port, parsed.render_as_string(hide_password=True))


_EXAMPLES = "postgresql://user@host/name, mysql://user@host/name, sqlite:////absolute/path.db"


def _installed(names: tuple[str, ...], drivers: Drivers) -> str:
    """The first of these drivers that is there. Raises DriverMissingError."""
    why = "not installed here"
    for name in names:
        if name in _BUILT_IN or importlib.util.find_spec(name) is not None:
            if not (broken := _broken(name)):
                return name
            why = f"which cannot be imported ({broken})"
    how = f"pip install 'campaign[{drivers.extra}]'" if drivers.extra else f"pip install {names[0]}"
    raise DriverMissingError(f"the database needs the Python driver {names[0]}, {why}: {how}")


def _broken(name: str) -> str:
    """Why a driver that is there cannot be used; "" where it can."""
    try:
        importlib.import_module("sqlite3" if name in _BUILT_IN else name)
    except Exception as error:  # noqa: BLE001 - whatever a broken package raises
        return f"{type(error).__name__}: {error}"[:200]
    return ""
