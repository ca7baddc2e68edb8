"""Since when a server runs: two answers that differ are a restart."""

from __future__ import annotations

from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.database.server import Server

TOLERANCE = {Kind.POSTGRESQL: 0.001, Kind.MYSQL: 2.5}
"""Seconds; MariaDB and MySQL say whole seconds of their uptime."""


def started_at(server: Server) -> float | None:
    """Since when the server runs, in seconds since 1970 by its own clock; None where it does not say.

    Raises what SQLAlchemy raises.
    """
    if server.kind is Kind.POSTGRESQL:
        return float(server.scalar("SELECT EXTRACT(EPOCH FROM pg_postmaster_start_time())::float8"))
    if server.kind is Kind.MYSQL:
        (uptime,) = server.rows("SHOW GLOBAL STATUS LIKE 'Uptime'")
        return float(server.scalar("SELECT UNIX_TIMESTAMP()")) - float(uptime["Value"])
    return None


def restarted(kind: Kind, before: float, after: float) -> bool:
    """Whether the server was started anew between the two answers."""
    return abs(after - before) > TOLERANCE.get(kind, 0.0)


_FULL = ("too many connections", "too many clients", "connection slots are reserved", "max_user_connections")
"""Words of servers that run and take no further session: psycopg gives no code where it cannot connect."""


def is_full(server: Server) -> bool:
    """Whether the server is there and takes no further session of ours."""
    try:
        server.scalar("SELECT 1")
    except Exception as error:  # noqa: BLE001 - whatever a driver raises
        said = failure_of(error).text.lower()
        return any(each in said for each in _FULL)
    return False
