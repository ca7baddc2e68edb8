"""What the server says of the settings that decide whether a committed write survives a crash."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import Kind
from campaign.database.failure import failure_of
from campaign.database.server import Server
from campaign.database.sessions import foreign_sessions

MOST_ROWS = 50

_POSTGRESQL = """
SELECT name, setting AS value, COALESCE(unit, '') AS unit, source
FROM pg_settings
WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'synchronous_standby_names',
               'wal_writer_delay')
"""
_OVERRIDES = """
SELECT COALESCE(r.rolname, '') AS role, COALESCE(d.datname, '') AS database, s.setting
FROM (SELECT setdatabase, setrole, unnest(setconfig) AS setting FROM pg_db_role_setting) s
LEFT JOIN pg_database d ON d.oid = s.setdatabase
LEFT JOIN pg_roles r ON r.oid = s.setrole
WHERE (s.setdatabase = 0 OR d.datname = current_database())
  AND split_part(s.setting, '=', 1) = 'synchronous_commit'
"""
_UNLOGGED = """
SELECT n.nspname || '.' || c.relname AS name, 'unlogged' AS engine
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'u' ORDER BY 1
"""
_MYSQL = """
SHOW GLOBAL VARIABLES WHERE Variable_name IN (
  'innodb_flush_log_at_trx_commit', 'innodb_flush_log_at_timeout', 'sync_binlog', 'innodb_doublewrite',
  'log_bin', 'innodb_flush_method')
"""
_VOLATILE = """
SELECT TABLE_NAME AS name, ENGINE AS engine FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'
  AND ENGINE IN ('MEMORY', 'MyISAM', 'BLACKHOLE') ORDER BY 1
"""
_SYNCHRONOUS = {0: "off", 1: "normal", 2: "full", 3: "extra"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One setting as our connection sees it; `source` is where it comes from, in the server's words."""

    name: str
    value: str
    source: str = ""


def read_durability(server: Server) -> dict[str, Any]:
    """The fact `durability`: product, settings, overrides for roles, tables that a crash empties."""
    read = {Kind.POSTGRESQL: _postgresql, Kind.MYSQL: _mysql, Kind.SQLITE: _sqlite}[server.kind]
    return {"product": server.version.product, "server": server.version.text, **read(server)}


def _postgresql(server: Server) -> dict[str, Any]:
    rows = server.rows(_POSTGRESQL)
    found = [Reading(row["name"], f"{row['value']}{_unit(row)}", row["source"]) for row in rows]
    role = str(server.scalar("SELECT current_user"))
    overrides, blind = _tried(server, _OVERRIDES)
    tables, tables_blind = _tried(server, _UNLOGGED)
    at_work = {each.user for each in foreign_sessions(server)}
    return {
        "settings": _plain(found),
        "role": role,
        "overrides": [_override(each, role, at_work) for each in overrides],
        "overrides_unseen": blind,
        "tables": tables,
        "tables_unseen": tables_blind,
    }


def _unit(row: dict[str, Any]) -> str:
    return f" {row['unit']}" if row["unit"] else ""


def _override(row: dict[str, Any], role: str, at_work: set[str]) -> dict[str, Any]:
    """What other roles get; `used` where such a role is connected right now."""
    name, _, value = str(row["setting"]).partition("=")
    who = str(row["role"])
    return {
        "role": who,
        "database": str(row["database"]),
        "name": name,
        "value": value,
        "ours": who in {"", role},
        "used": who in at_work,
    }


def _mysql(server: Server) -> dict[str, Any]:
    rows = server.rows(_MYSQL)
    found = [Reading(str(row["Variable_name"]), str(row["Value"]), "global") for row in rows]
    tables, blind = _tried(server, _VOLATILE)
    return {"settings": _plain(found), "tables": tables, "tables_unseen": blind}


def _sqlite(server: Server) -> dict[str, Any]:
    journal = str(server.scalar("PRAGMA journal_mode")).lower()
    kept = "in the file" if journal == "wal" else "our connection's default"
    number = int(server.scalar("PRAGMA synchronous") or 0)
    locking = str(server.scalar("PRAGMA locking_mode")).lower()
    found = [
        Reading("journal_mode", journal, kept),
        Reading("synchronous", _SYNCHRONOUS.get(number, str(number)), "our connection's default"),
        Reading("locking_mode", locking, "our connection's default"),
    ]
    return {"settings": _plain(found), "tables": []}


def _plain(readings: list[Reading]) -> list[dict[str, str]]:
    return [asdict(each) for each in sorted(readings, key=lambda each: each.name)]


def _tried(server: Server, statement: str) -> tuple[list[dict[str, Any]], str]:
    """The rows, or why we may not see them."""
    try:
        return server.rows(statement)[:MOST_ROWS], ""
    except SQLAlchemyError as error:
        return [], str(failure_of(error))
