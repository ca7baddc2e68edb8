"""What a soak has come to so far, and how two parts of one that was broken off add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from campaign.load.lookout import ANSWERS, SEEN
from campaign.load.outcome import Second

MOST_ERRORS = 12


@dataclass(slots=True)
class Counts:
    """Adds up the seconds that are judged, so that the end of the machine leaves a whole account."""

    users: int
    held: float = 0.0
    asked: int = 0
    failed: int = 0
    there: float = 0.0
    answers: int = 0
    shown: int = 0
    searched: bool = False

    def see(self, second: Second) -> None:
        """One more second."""
        self.held += second.seconds
        self.asked += sum(each.asked for each in second.tallies.values())
        self.failed += sum(each.failed for each in second.tallies.values())
        self.there += min(second.users, self.users) * second.seconds

    def search(self, second: Second) -> None:
        """Canaries that were looked for, also while users came."""
        self.searched = self.searched or ANSWERS in second.counts
        self.answers += second.counts.get(ANSWERS, 0)
        self.shown += second.counts.get(SEEN, 0)

    def soak(self) -> dict[str, Any]:
        """The fact `soak` as far as it goes."""
        return {
            "held": self.held,
            "asked": self.asked,
            "failed": self.failed,
            "longest_stall": None,
            "load_reached": self.there / (self.users * self.held) if self.held else None,
            "saturation": "",
            "errors": [],
        }

    def canaries(self) -> dict[str, Any]:
        """The fact `canaries`; empty where none was looked for."""
        if not self.searched:
            return {}
        return {"answers": self.answers, "bytes": 0, "left": 0, "seen": self.shown, "sightings": []}


def together(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The fact `soak` of both parts."""
    if not before:
        return now
    held = before["held"] + now["held"]
    return {
        **now,
        "held": held,
        "asked": before["asked"] + now["asked"],
        "failed": before["failed"] + now["failed"],
        "longest_stall": max(_known(before, now, "longest_stall"), default=None),
        "load_reached": _reached(before, now),
        "saturation": before["saturation"] or now["saturation"],
        "errors": _errors(before["errors"], now["errors"]),
    }


def found_together(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """The fact `canaries` of both parts."""
    if not before or not now:
        return now or before
    counts = {name: before[name] + now[name] for name in ("answers", "bytes", "left", "seen")}
    return {**counts, "sightings": [*before["sightings"], *now["sightings"]]}


def _known(before: dict[str, Any], now: dict[str, Any], name: str) -> list[float]:
    return [each[name] for each in (before, now) if each.get(name) is not None]


def _reached(before: dict[str, Any], now: dict[str, Any]) -> float | None:
    """The mean over the time of both; None where either was not measured, unless it took no time."""
    parts = [each for each in (before, now) if each["held"] > 0]
    if not parts or any(each["load_reached"] is None for each in parts):
        return None
    held: float = sum(each["held"] for each in parts)
    return float(sum(each["load_reached"] * each["held"] for each in parts) / held)


def _errors(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    counted: Counter[tuple[str, str]] = Counter()
    for each in (*before, *now):
        counted[each["operation"], each["kind"]] += each["count"]
    return [
        {"operation": operation, "kind": kind, "count": count}
        for (operation, kind), count in counted.most_common(MOST_ERRORS)
    ]
