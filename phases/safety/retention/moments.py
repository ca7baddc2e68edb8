"""Columns that hold moments, and moments as they stand in them: dates, texts, or numbers since 1970."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Table

MADE = re.compile(r"(creat|insert|request|start|record|logg|receiv|add)\w*", re.IGNORECASE)
MOMENT = re.compile(r"(_at|_on|_ms|_ts|_us|_ns|time|date|stamp|created)$", re.IGNORECASE)
UNITS = (1.0, 1e3, 1e6, 1e9)
LATEST_SECONDS = 1e11
"""A number of seconds beyond this would be after the year 5000: then it counts something smaller."""


def column_of(table: Table, name: str) -> str:
    """The column that says when a row was made: the one named, or the one that looks like it; else ""."""
    if name:
        return name if name in table.columns else ""
    moments = [column.name for column in table.columns if _is_moment(column)]
    made = [each for each in moments if MADE.match(each)]
    return made[0] if made else moments[0] if len(moments) == 1 else ""


def unknown_column(table: str) -> str:
    """What is said where there is none."""
    return f"which column of {table} says when a row was made? (policy: {{{table}: {{keep, column}}}})"


def _is_moment(column: Any) -> bool:
    kind = type(column.type).__name__.upper()
    return kind.startswith(("DATE", "TIMESTAMP")) or bool(MOMENT.search(column.name))


def seconds_of(value: Any) -> float | None:
    """Seconds since 1970 of what stands in such a column; None where it is no moment."""
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    if isinstance(value, bool) or value is None:
        return None
    number = float(value)
    return number / _unit(number)


def _of_text(value: str) -> float | None:
    try:
        return seconds_of(datetime.fromisoformat(value))
    except ValueError:
        return None


def _unit(number: float) -> float:
    return next((unit for unit in UNITS if abs(number) / unit < LATEST_SECONDS), UNITS[-1])


def like(value: Any, seconds: float) -> Any:
    """The moment `seconds` since 1970, written as `value` is. Raises ValueError where that is no moment."""
    if isinstance(value, datetime):
        moment = datetime.fromtimestamp(seconds, UTC)
        return moment if value.tzinfo else moment.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime.fromtimestamp(seconds, UTC).date()
    if isinstance(value, str):
        pattern = datetime.fromisoformat(value)
        text = like(pattern, seconds).isoformat(sep=value[10:11] or "T")
        return text[: len(value)] if len(value) < len(text) else text
    if isinstance(value, bool) or value is None:
        raise ValueError("it is no moment")
    scaled = seconds * _unit(float(value))
    return round(scaled) if isinstance(value, int) else scaled
