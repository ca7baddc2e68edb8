"""How many connections we may take from a server that others use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from campaign.database.address import Kind
from campaign.database.server import Server


@dataclass(frozen=True, slots=True)
class Room:
    """`limit` connections that the server allows our account, `used` of them taken, and the `share` of the
    free ones that we may take.
    """

    limit: int
    used: int
    share: float

    @property
    def free(self) -> int:
        """What nobody has."""
        return max(0, self.limit - self.used)

    @property
    def most(self) -> int:
        """The largest pool that we may try; 0 where there is no room."""
        return int(self.free * self.share)

    def __str__(self) -> str:
        return f"{self.free} of the server's {self.limit} connections are free, we take at most {self.most}"


def room_of(server: Server, share: float) -> Room:
    """What PostgreSQL, MariaDB or MySQL has left."""
    limits, used = _POSTGRESQL if server.kind is Kind.POSTGRESQL else _MYSQL
    said = {name: value for row in server.rows(limits) for name, value in row.items()}
    return Room(min(_allowed(said)), int(server.rows(used)[0]["used"]), share)


def _allowed(said: dict[str, Any]) -> Iterator[int]:
    """The server's limit, and the account's and the database's own where they have one."""
    yield int(said["most"]) - int(said["reserved"])
    yield from (int(said[name]) for name in ("of_account", "of_database") if int(said[name]) > 0)


_POSTGRESQL = (
    """
SELECT current_setting('max_connections')::int AS most,
       current_setting('superuser_reserved_connections')::int AS reserved,
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS of_account,
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS of_database
""",
    "SELECT count(*) AS used FROM pg_stat_activity WHERE backend_type = 'client backend'",
)
_MYSQL = (
    """
SELECT @@global.max_connections AS most, 1 AS reserved, @@session.max_user_connections AS of_account,
       0 AS of_database
""",
    "SELECT count(*) AS used FROM information_schema.PROCESSLIST WHERE COMMAND <> 'Daemon'",
)
