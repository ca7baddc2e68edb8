"""Conditions of a filter as servers write them: which of them an index on a table's columns could serve."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from campaign.database.sql import bare

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|[()]|\w+|\s+|.", re.DOTALL)
_COMPARISON = re.compile(
    r"(?P<left>.+?)\s*(?P<operator><=>|<=|>=|<>|!=|!~~?\*?|~~?\*?|=|<|>|\bis\s+null\b|\bin\b|\bbetween\b|\blike\b)"
    r"(?P<right>.*)",
    re.IGNORECASE | re.DOTALL,
)
_EQUAL = frozenset({"=", "<=>", "is null", "in"})
_RANGED = frozenset({"<", "<=", ">", ">=", "between"})
_MOST = 50


@dataclass(frozen=True, slots=True)
class Conditions:
    """What of a filter an index could serve: columns compared for `equal` and those compared as a range.

    `text` is that part of the filter, `whole` whether it is all of it.
    """

    equal: tuple[str, ...]
    ranged: tuple[str, ...]
    text: str
    whole: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of an index that would serve: one range at most, behind all that are equal."""
        return (*self.equal, *self.ranged[:1])


def conditions(text: str, alias: str, columns: Collection[str]) -> Conditions:
    """The conditions of a filter on the table that the statement calls `alias`."""
    parts = list(_conjuncts(text))[:_MOST]
    compared = [(part, _compared(part, alias.lower(), columns)) for part in parts]
    usable = [part for part, found in compared if found is not None]
    found = [each for _, each in compared if each is not None]
    equal = dict.fromkeys(column for column, same in found if same)
    ranged = dict.fromkeys(column for column, same in found if not same and column not in equal)
    return Conditions(tuple(equal), tuple(ranged), " AND ".join(usable), len(usable) == len(parts))


def _conjuncts(text: str) -> Iterator[str]:
    """What stands between the ANDs, without the parentheses around it."""
    inner = _unwrapped(text)
    parts = _split(inner)
    if len(parts) < 2:
        if inner:
            yield inner
        return
    for part in parts:
        yield from _conjuncts(part)


def _split(text: str) -> list[str]:
    depth, parts, between = 0, [""], False
    for token in _TOKEN.findall(text):
        depth += {"(": 1, ")": -1}.get(token, 0)
        word = token.lower()
        if depth == 0 and word == "and" and not between:
            parts.append("")
            continue
        if depth == 0:
            between = word == "between" or (between and word != "and")
        parts[-1] += token
    return [part for part in parts if part.strip()]


def _unwrapped(text: str) -> str:
    text = text.strip().rstrip(";").strip()
    while text.startswith("(") and text.endswith(")") and _closes_last(text):
        text = text[1:-1].strip()
    return text


def _closes_last(text: str) -> bool:
    """Whether the first parenthesis is closed by the last character."""
    depth, at = 0, 0
    for token in _TOKEN.findall(text):
        at += len(token)
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0:
            return at == len(text)
    return False


def _compared(part: str, alias: str, columns: Collection[str]) -> tuple[str, bool] | None:
    """The column that this condition compares with something else, and whether for equality."""
    plain = bare(part)
    if any(word.lower() == "or" for word in re.findall(r"\w+", _flat(plain))):
        return None
    if column := _column(re.sub(r"^not\b", "", plain, flags=re.IGNORECASE), alias, columns):
        return column, True
    found = _COMPARISON.fullmatch(plain)
    if found is None:
        return None
    operator = re.sub(r"\s+", " ", found["operator"].lower())
    for side, other in ((found["left"], found["right"]), (found["right"], found["left"])):
        column = _column(side, alias, columns)
        if column and operator in _EQUAL | _RANGED and not _mentions(other, alias, columns):
            return column, operator in _EQUAL
    return None


def _flat(text: str) -> str:
    """What is not in parentheses."""
    depth, kept = 0, ""
    for token in _TOKEN.findall(text):
        depth += {"(": 1, ")": -1}.get(token, 0)
        kept += token if depth == 0 else ""
    return kept


def _column(text: str, alias: str, columns: Collection[str]) -> str:
    """The column that this is, casts and quotes aside; "" where it is anything else."""
    plain = re.sub(r"::[\w ]+(\(\d+\))?(\[\])?", "", text)
    *owner, name = re.sub(r"[\"`()\s]", "", plain).lower().split(".")
    if "(" in text and re.search(r"\w\s*\(", plain):
        return ""
    owned = not owner or owner[-1] == alias
    return next((each for each in columns if each.lower() == name), "") if owned else ""


def _mentions(text: str, alias: str, columns: Collection[str]) -> bool:
    """Whether a column of the same table stands in it."""
    lowered = {each.lower() for each in columns}
    named = re.findall(r"(?:([\w$]+)\.)?([\w$]+)", re.sub(r"[\"`]", "", text).lower())
    return any(name in lowered and owner in {"", alias} for owner, name in named)
