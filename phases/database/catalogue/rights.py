"""Whether an account sees all tables of its database.

PostgreSQL's catalogue shows every table to everybody and SQLite has no accounts; MariaDB and MySQL show only
what one has rights on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.database.server import Server

_GRANT = re.compile(r"GRANT (?P<rights>.+?) ON (?P<place>\*\.\*|`(?:[^`]|``)+`\.\*) TO ")
_READS = re.compile(r"\b(SELECT|ALL PRIVILEGES)\b(?! \()")


def chosen(server: Server) -> str:
    """The name of the database that we are in, "" where we are in none. Blocks."""
    if server.kind is Kind.MYSQL:
        return str(server.scalar("SELECT DATABASE()") or "")
    return server.address.load.database or "main"


def unseen(server: Server, name: str) -> str:
    """Why there may be tables that we cannot see, as a phrase; "" where we see all
    of the database of that name. Blocks.
    """
    if server.kind is not Kind.MYSQL:
        return ""
    if not name:
        return "no database was chosen (target.database ends without its name)"
    try:
        grants = [str(next(iter(row.values()))) for row in server.rows("SHOW GRANTS")]
    except Exception as error:  # noqa: BLE001 - then nobody knows
        return f"the rights of this account could not be read ({failure_of(error)})"
    if sees_all(grants, name):
        return ""
    return f"this account may not read the whole database {name}, so there may be tables that it does not see"


def sees_all(grants: Iterable[str], database: str) -> bool:
    """Whether one of the server's GRANT statements lets us read every table of the database."""
    found = filter(None, map(_GRANT.match, grants))
    return any(_READS.search(each["rights"]) and _covers(each["place"], database) for each in found)


def _covers(place: str, database: str) -> bool:
    if place == "*.*":
        return True
    pattern = place.removesuffix(".*")[1:-1].replace("``", "`")
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return bool(re.fullmatch("".join(wild.get(each) or re.escape(each[-1]) for each in pieces), database))
