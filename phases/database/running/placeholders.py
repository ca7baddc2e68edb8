"""Statements with parameters written `:name` in the way that each driver wants them, translated once."""

from __future__ import annotations

from campaign.database.address import Kind
from campaign.database.sql import parameters, rewritten


def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """For asyncpg: `$1`, the same number for the same name, and the names in that order."""
    names = parameters(sql, Kind.POSTGRESQL)
    translated = rewritten(sql, lambda name: f"${names.index(name) + 1}", kind=Kind.POSTGRESQL)
    return translated, names


def psycopg_style(sql: str) -> tuple[str, tuple[str, ...]]:
    """For psycopg: `%s`, one name for each."""
    return _percent(sql, Kind.POSTGRESQL)


def asyncmy_style(sql: str) -> tuple[str, tuple[str, ...]]:
    """For asyncmy: `%s`, one name for each."""
    return _percent(sql, Kind.MYSQL)


def question(sql: str) -> tuple[str, tuple[str, ...]]:
    """For sqlite3: `?`, one name for each."""
    return _marked(sql, Kind.SQLITE, mark="?")


def _percent(sql: str, kind: Kind) -> tuple[str, tuple[str, ...]]:
    """Every other `%` is doubled, where there are any names."""
    doubled = "%%" if parameters(sql, kind) else "%"
    return _marked(sql, kind, mark="%s", percent=doubled)


def _marked(sql: str, kind: Kind, *, mark: str, percent: str = "%") -> tuple[str, tuple[str, ...]]:
    names: list[str] = []

    def place(name: str) -> str:
        names.append(name)
        return mark

    return rewritten(sql, place, kind=kind, percent=percent), tuple(names)
