"""What is wrong with a campaign file, in words that say where, what was found and what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from campaign.errors import ConfigurationError

Path = tuple[str | int, ...]
"""Where a value stands in the file: keys, and numbers of list items from 0."""

MOST = 200
"""Mistakes that are looked for; a file with more is not worth the reader's time, nor ours."""

_LONGEST_KEY = 120
_SHOWN = 60
"""Characters of a found value that a message repeats."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: a file with line and column from 1, or a variable or option (line 0)."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend: `found` and `allowed` are phrases, `suggestion` is what was probably meant."""

    place: Place
    key: str
    found: str
    allowed: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        lines = [f"{self.place}  {self.key}".rstrip(), f"  found    {self.found}"]
        if self.allowed:
            lines.append(f"  allowed  {self.allowed}")
        if self.suggestion:
            lines.append(f"  did you mean  {self.suggestion}")
        return "\n".join(map(_printable, lines))  # a key may hold what commands a terminal


class CampaignFileError(ConfigurationError):
    """All mistakes of a campaign file at once, in the order of its lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes), key=_in_order))
        number = len(self.mistakes)
        count = f"{'at least ' if number >= MOST else ''}{number} mistake{'s' if number > 1 else ''}"
        ending = f"{count}; nothing was run. (docs/campaign-file.md)"
        super().__init__("\n".join([*map(str, self.mistakes), ending]))


def _in_order(mistake: Mistake) -> tuple[str, int, int, str, str]:
    return mistake.place.source, mistake.place.line, mistake.place.column, mistake.key, mistake.found


def closest(name: object, names: Collection[str]) -> str:
    """The one of `names` that was probably meant, or ""; of equally like ones the nearest: p95 for p96."""
    by_lower = {each.lower(): each for each in names}
    text = str(name)[:_SHOWN].lower()
    found = difflib.get_close_matches(text, by_lower, n=len(by_lower) or 1, cutoff=0.6)
    alike = [each for each in found if _likeness(each, text) == _likeness(found[0], text)]
    return by_lower[min(alike, key=lambda each: _distance(each, text))] if alike else ""


def _likeness(name: str, text: str) -> float:
    return difflib.SequenceMatcher(None, name, text).ratio()


def _distance(name: str, text: str) -> int:
    """How far the characters at the same places are apart, summed up."""
    return sum(abs(ord(one) - ord(other)) for one, other in zip(name, text, strict=False))


def written(value: object) -> str:
    """The value on one short line, as it would stand in the file."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    printable = _printable(text)
    return printable if len(printable) <= _SHOWN else f"{printable[:_SHOWN]}..."


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)


def dotted(path: Path) -> str:
    """`phases.load.scenarios.peak.hold`."""
    text = ".".join(str(each)[:_SHOWN] for each in path)
    return text if len(text) <= _LONGEST_KEY else f"{text[:_LONGEST_KEY]}..."
