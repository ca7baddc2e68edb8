"""The isolation levels that a database offers, and how a transaction at each is begun and ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from campaign.database.address import Kind

if TYPE_CHECKING:
    from campaign.database.server import Server

PYTHON_DEFAULT = "python default"
"""sqlite3 as Python opens it: reads outside of any transaction, a transaction before the first write."""


@dataclass(frozen=True, slots=True)
class Level:
    """An isolation level by the name that people use. `prepare` is sent once per connection and `begin`
    before each transaction; without a `begin` the driver begins where it thinks fit.
    """

    name: str
    prepare: tuple[str, ...]
    begin: str


_STANDARD = ("read uncommitted", "read committed", "repeatable read", "serializable")
_POSTGRESQL = tuple(
    Level(name, ("SET lock_timeout = '3s'",), f"BEGIN ISOLATION LEVEL {name.upper()}")
    for name in _STANDARD[1:]  # its read uncommitted is read committed
)
_MYSQL = tuple(
    Level(
        name,
        (
            "SET SESSION innodb_lock_wait_timeout = 3",
            f"SET SESSION TRANSACTION ISOLATION LEVEL {name.upper()}",
        ),
        "START TRANSACTION",
    )
    for name in _STANDARD
)
_BUSY = ("PRAGMA busy_timeout = 0",)  # the actor asks again by itself, and so knows that it has to wait
_SQLITE = (
    Level("deferred", _BUSY, "BEGIN DEFERRED"),
    Level("immediate", _BUSY, "BEGIN IMMEDIATE"),
    Level(PYTHON_DEFAULT, _BUSY, ""),
)
_OFFERED = {Kind.POSTGRESQL: _POSTGRESQL, Kind.MYSQL: _MYSQL, Kind.SQLITE: _SQLITE}


def offered(kind: Kind) -> tuple[Level, ...]:
    """The levels of this kind of database, the weakest first, but for SQLite."""
    return _OFFERED[kind]


def default_level(server: Server) -> str:
    """The level that a session of ours gets without asking, as the server says it; for SQLite, which knows
    nothing of that, the weaker of its ways, as a Python service gets it.
    """
    if server.kind is Kind.SQLITE:
        return PYTHON_DEFAULT
    with server.engine.connect() as connection:
        return str(connection.get_isolation_level()).lower().replace("_", " ")
