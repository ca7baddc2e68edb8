"""SQL as text, read just as far as we need: its parameters, its words, which tables it calls by which name.

This is no parser. It tells words from what stands in quotes and comments, so that `'12:30'` has no parameter
and `'drop table'` no command. `kind` is whose SQL it is, as MariaDB and MySQL quote and comment in ways of
their own; None is read as the standard says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from campaign.database.address import Kind

_PLAIN = r"""(?<!\w)[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" """
_ESCAPED = r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" """
"""Texts of MariaDB and MySQL, where a backslash may stand before a quote."""


def _pattern(quoted: str, comment: str) -> re.Pattern[str]:
    return re.compile(
        rf"""(?P<quoted>{quoted} | `[^`]*` | \$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$)
          | (?P<comment>{comment} | /\*.*?\*/)
          | (?P<cast>:: | :=)
          | (?P<colon>\\:)
          | (?<![\w:\]]):(?P<name>[A-Za-z_]\w*)
          | (?P<word>[A-Za-z_][\w$]*)
          | (?P<other>.)""",
        re.VERBOSE | re.DOTALL,
    )


_STANDARD = _pattern(_PLAIN, r"--[^\n]*")
_MYSQL = _pattern(_ESCAPED, r"--(?=\s|$)[^\n]* | \#[^\n]*")


def _pieces(sql: str, kind: Kind | None) -> Iterator[re.Match[str]]:
    return (_MYSQL if kind is Kind.MYSQL else _STANDARD).finditer(sql)


_OPENERS = frozenset({"select", "with", "values", "table"})
_NO_ALIAS = re.compile(
    r"on|using|where|join|inner|left|right|full|cross|natural|outer|order|group|having|limit|union|set|as|"
    r"offset|fetch|for|window|intersect|except|lateral|tablesample|straight_join|use|force|ignore|select|from"
)


def parameters(sql: str, kind: Kind | None = None) -> tuple[str, ...]:
    """The names written `:name`, each once, in the order in which they come."""
    return tuple(dict.fromkeys(found["name"] for found in _pieces(sql, kind) if found["name"]))


def rewritten(sql: str, place: Callable[[str], str], *, kind: Kind | None = None, percent: str = "%") -> str:
    """The statement with `place(name)` for each `:name`; `percent` for each per-cent sign, which some drivers
    want doubled.
    """
    return "".join(_piece(found, place, percent=percent) for found in _pieces(sql, kind))


def for_control(sql: str, kind: Kind) -> str:
    """The statement as the driver of `Server` wants it, given its values by name, as a mapping."""
    if kind is Kind.SQLITE:
        return rewritten(sql, lambda name: f":{name}", kind=kind)
    return rewritten(sql, lambda name: f"%({name})s", kind=kind, percent="%%")


def _piece(found: re.Match[str], place: Callable[[str], str], *, percent: str) -> str:
    if found["name"]:
        return place(found["name"])
    return ":" if found["colon"] else found[0].replace("%", percent)


def words(sql: str, kind: Kind | None = None) -> list[str]:
    """The words outside of quotes and comments, in lower case."""
    return [found["word"].lower() for found in _pieces(sql, kind) if found["word"]]


def bare(sql: str, kind: Kind | None = None) -> str:
    """The statement without comments, with nothing between its quotes, and without a semicolon at its end."""
    return "".join(_emptied(found) for found in _pieces(sql, kind)).strip().rstrip(";").strip()


def _emptied(found: re.Match[str]) -> str:
    if found["comment"]:
        return " "
    return "''" if found["quoted"] and found[0][0] in "eE'$" else found[0]


def refusal(sql: str, kind: Kind | None = None) -> str:
    """Why this is no single plain read, as a phrase; "" where it looks like one.

    The server has the last word: what looks like a read may still write, in a function.
    """
    if any(found["comment"] and found[0].startswith(("/*!", "/*M!")) for found in _pieces(sql, kind)):
        return "a comment that MariaDB and MySQL execute (/*! ... */)"
    plain = bare(sql, kind)
    if ";" in plain:
        return "more than one statement"
    said = words(plain, kind)
    if not said or said[0] not in _OPENERS:
        return f"{said[0].upper() if said else 'nothing'}, which is no query"
    if (found := _WRITES.search(plain)) is not None:
        return f"{(found['command'] or 'into').upper()}, which writes"
    return "a query that locks rows (FOR ...)" if _LOCKS.search(plain) else ""


_WRITES = re.compile(
    r"(?:^|[()])\s*(?P<command>insert|update|delete|merge|replace)\s+[\w\"`]|\binto\s", re.IGNORECASE
)
"""A command at the beginning of a WITH's part or behind it, or INTO anywhere."""
_LOCKS = re.compile(
    r"\bfor\s+(no\s+key\s+|key\s+)?(update|share)\b|\block\s+in\s+share\s+mode\b", re.IGNORECASE
)


def aliases(sql: str, tables: Iterable[str]) -> Mapping[str, str]:
    """The table behind each name in a statement, in lower case: {"m": "Messages"} for `Messages AS m`."""
    known = {table.lower(): table for table in tables}
    said = [found["word"] or found[0].strip('"`') for found in _pieces(sql, None) if found[0].strip()]
    found = {table: known[table] for word in said if (table := word.lower()) in known}
    for word, following, after in zip(said, [*said[1:], ""], [*said[2:], "", ""], strict=False):
        alias = after if following.lower() == "as" else following
        if word.lower() in known and alias.isidentifier() and not _NO_ALIAS.fullmatch(alias.lower()):
            found[alias.lower()] = known[word.lower()]
    return found
