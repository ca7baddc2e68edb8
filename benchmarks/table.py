"""The lines that a benchmark prints: Markdown, so that they can be pasted into docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

VERDICTS = {True: "reached", False: "**missed**", None: "not measured"}


class Row(NamedTuple):
    """What was wanted and what was measured; `ok` is None where it could not be measured."""

    what: str
    wanted: str
    measured: str
    beside: str
    ok: bool | None


def show(rows: Iterable[Row]) -> None:
    """Print the rows as a table."""
    lines = [(row.what, row.wanted, row.measured, row.beside, VERDICTS[row.ok]) for row in rows]
    print_table(("what", "wanted", "measured", "beside it", ""), lines)


def print_table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Print any table."""
    print(f"\n| {' | '.join(head)} |")
    print(f"|{'---|' * len(head)}")
    for line in lines:
        print(f"| {' | '.join(line)} |")
