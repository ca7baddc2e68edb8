"""Failures grouped as they happen: bounded in groups, samples and length of text, secrets masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from campaign.load.tally import ErrorGroup, ErrorKind, ErrorSample

MAX_GROUPS = 100
"""Groups of one worker; what comes after is counted under the detail `OTHER`."""

MAX_SAMPLES = 3
"""Samples of one group."""

OTHER = "other"

Key: TypeAlias = tuple[str, ErrorKind, str]
"""What failures are grouped by: operation, kind, detail."""


class _Count:
    """A group while it grows: at full speed every request may fail."""

    __slots__ = ("count", "first", "last", "samples")

    def __init__(self, at: float) -> None:
        self.count = 0
        self.first = self.last = at
        self.samples: list[ErrorSample] = []


class FailureLog:
    """The failures of one worker since they were last taken."""

    __slots__ = ("_groups", "_known", "_sampled")

    def __init__(self) -> None:
        self._groups: dict[Key, _Count] = {}
        self._known: set[Key] = set()
        self._sampled: Counter[Key] = Counter()

    def key(self, operation: str, kind: ErrorKind, detail: str) -> Key:
        """The group that such a failure belongs to."""
        key = (operation, kind, detail)
        if key in self._known:
            return key
        if len(self._known) >= MAX_GROUPS:
            return (operation, kind, OTHER)
        self._known.add(key)
        return key

    def wants_sample(self, key: Key) -> bool:
        """Whether another sample of this group is kept; asked first because making one costs time."""
        return self._sampled[key] < MAX_SAMPLES

    def add(self, key: Key, at: float, sample: ErrorSample | None = None) -> None:
        """Count a failure, `at` seconds since the scenario began."""
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Count(at)
        group.count += 1
        group.last = at
        if sample is not None:
            self._sampled[key] += 1
            group.samples.append(sample)

    def take(self) -> dict[Key, ErrorGroup]:
        """The groups with what was added since the last call."""
        taken, self._groups = self._groups, {}
        return {
            key: ErrorGroup(*key, each.count, each.first, each.last, tuple(each.samples))
            for key, each in taken.items()
        }


def merge_groups(one: ErrorGroup, other: ErrorGroup) -> ErrorGroup:
    """Both parts of one group as one: counts added, the earliest samples kept."""
    samples = sorted((*one.samples, *other.samples), key=lambda sample: sample.at)
    return ErrorGroup(
        operation=one.operation,
        kind=one.kind,
        detail=one.detail,
        count=one.count + other.count,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        samples=tuple(samples[:MAX_SAMPLES]),
    )


def merge_into(total: dict[Key, ErrorGroup], parts: Mapping[Key, ErrorGroup]) -> None:
    """Add `parts` to `total`."""
    for key, part in parts.items():
        known = total.get(key)
        total[key] = merge_groups(known, part) if known else part


def most_frequent_first(groups: Iterable[ErrorGroup]) -> tuple[ErrorGroup, ...]:
    """The groups in the order in which a reader wants them."""
    return tuple(sorted(groups, key=lambda group: (-group.count, group.operation, group.detail)))
