"""The sessions in the server's own list: whose they are, and how to end one."""

from __future__ import annotations

from typing import Any

from campaign.database.address import Kind
from campaign.database.server import Server, Session, own_ports

_POSTGRESQL = """
SELECT pid, COALESCE(usename, '') AS usename, COALESCE(client_addr::text, 'local') AS client,
       COALESCE(application_name, '') AS application, COALESCE(state, '') AS state,
       COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - state_change), 0)::float8 AS seconds,
       COALESCE(LEFT(query, 200), '') AS statement
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_MYSQL = """
SELECT ID AS pid, USER AS usename, HOST AS client, COMMAND AS state, TIME AS seconds,
       COALESCE(LEFT(INFO, 200), '') AS statement
FROM information_schema.PROCESSLIST
WHERE ID <> CONNECTION_ID() AND DB = DATABASE() AND COMMAND <> 'Daemon'
"""


def sessions(server: Server) -> list[Session]:
    """All sessions of this database but the one that asks; SQLite has none to show.

    Only our own user's where we may not see more.
    """
    if server.kind is Kind.POSTGRESQL:
        return [_session(row, own=row["application"] == server.tag) for row in server.rows(_POSTGRESQL)]
    if server.kind is Kind.MYSQL:
        ports = own_ports()
        return [_session(row, own=_port(row["client"]) in ports) for row in server.rows(_MYSQL)]
    return []


def foreign_sessions(server: Server) -> list[Session]:
    """The sessions of others: of the service, mostly."""
    return [each for each in sessions(server) if not each.own]


def own_sessions(server: Server) -> list[Session]:
    """Our own sessions but the one that asks, of this run, in whichever process, and those that idle in the
    control pool.
    """
    return [each for each in sessions(server) if each.own]


def end_session(server: Server, number: int) -> bool:
    """Whether the server ended that session on our word."""
    if server.kind is Kind.POSTGRESQL:
        return bool(server.scalar("SELECT pg_terminate_backend(:number)", number=number))
    server.run(f"KILL {int(number)}")
    return True


def interrupt_own(server: Server) -> None:
    """Cancel the statements of our own sessions; they stay. SQLite, which has no sessions, goes on."""
    command = {Kind.POSTGRESQL: "SELECT pg_cancel_backend({})", Kind.MYSQL: "KILL QUERY {}"}.get(server.kind)
    for each in own_sessions(server) if command else ():
        server.run(str(command).format(each.id))


def _session(row: dict[str, Any], *, own: bool) -> Session:
    return Session(
        id=int(row["pid"]),
        user=str(row["usename"]),
        client=str(row["client"]),
        application=str(row.get("application", "")),
        state=str(row["state"]),
        seconds=float(row["seconds"] or 0),
        statement=str(row["statement"]),
        own=own,
    )


def _port(client: str) -> int:
    port = str(client).rpartition(":")[2]
    return int(port) if port.isdigit() else 0
