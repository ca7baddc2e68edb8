"""Statements with parameters written `:name` in the way that each driver wants them, translated once."""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"""
      '(?:[^']|'')*'                                  # a text
    | "(?:[^"]|"")*"                                  # a name
    | `[^`]*`                                         # a name of MariaDB and MySQL
    | --[^\n]*                                        # a comment to the line's end
    | /\*.*?\*/                                       # a comment
    | (?P<dollar>\$(?:[A-Za-z_]\w*)?\$).*?(?P=dollar) # a text of PostgreSQL
    | ::                                              # a cast
    | :=                                              # an assignment
    | \\:                                             # a colon that is none of ours, as in SQLAlchemy's text
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*)               # a parameter
    """,
    re.VERBOSE | re.DOTALL,
)


def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """For asyncpg: `$1`, the same number for the same name, and the names in that order."""
    names: list[str] = []

    def mark(name: str) -> str:
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _translated(sql, mark), tuple(names)


def percent(sql: str) -> tuple[str, tuple[str, ...]]:
    """For psycopg and asyncmy: `%s`, one name for each; every other `%` is doubled, where there are any."""
    names: list[str] = []

    def mark(name: str) -> str:
        names.append(name)
        return "%s"

    translated = _translated(sql, mark, literal=lambda text: text.replace("%", "%%"))
    return (translated if names else translated.replace("%%", "%")), tuple(names)


def question(sql: str) -> tuple[str, tuple[str, ...]]:
    """For sqlite3: `?`, one name for each."""
    names: list[str] = []

    def mark(name: str) -> str:
        names.append(name)
        return "?"

    return _translated(sql, mark), tuple(names)


def names_in(sql: str) -> tuple[str, ...]:
    """The parameters that a statement names, each once."""
    return numbered(sql)[1]


def _translated(
    sql: str, mark: Callable[[str], str], *, literal: Callable[[str], str] = lambda text: text
) -> str:
    parts, end = [], 0
    for found in _TOKEN.finditer(sql):
        parts.append(literal(sql[end : found.start()]))
        end = found.end()
        name = found["name"]
        token = ":" if found[0] == "\\:" else found[0]
        parts.append(mark(name) if name else literal(token))
    parts.append(literal(sql[end:]))
    return "".join(parts)
