"""A campaign file as plain data that knows where everything in it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from campaign.config.mistakes import MOST, Mistake, Path, Place, dotted


@dataclass(slots=True)
class Document:
    """What was read, from the file and from what is laid over it.

    `values` and `keys` say where each was written; `variables` holds what `${...}` was replaced with; `noted`
    is what is wrong so far and at which path, `wrong` are those paths.
    """

    source: str
    data: dict[str, Any] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    noted: list[tuple[Path, Mistake]] = field(default_factory=list)
    wrong: set[Path] = field(default_factory=set)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What is wrong so far."""
        return tuple(mistake for _, mistake in self.noted)

    @property
    def is_full(self) -> bool:
        """Whether so much is wrong that there is no sense in looking on."""
        return len(self.noted) >= MOST

    def place(self, path: Path, *, of_key: bool = False) -> Place:
        """Where the value (or the key) at `path` was written, or the nearest thing around it."""
        if of_key and path in self.keys:
            return self.keys[path]
        for length in range(len(path), 0, -1):
            if path[:length] in self.values:
                return self.values[path[:length]]
        return self.values.get((), Place(self.source, 1, 1))

    def note(
        self, path: Path, found: str, *, allowed: str = "", suggestion: str = "", at: Place | None = None
    ) -> None:
        """Keep a mistake in the value at `path`, or `at` another place that belongs to it; not too many."""
        if self.is_full:
            return
        self.wrong.add(path)
        self.noted.append((path, Mistake(at or self.place(path), dotted(path), found, allowed, suggestion)))

    def is_noted(self, path: Path) -> bool:
        """Whether this value, or one around it, is known to be wrong; more would only repeat it."""
        return any(path[:length] in self.wrong for length in range(1, len(path) + 1))

    def replace(self, path: Path, place: Place) -> None:
        """Forget what was known inside `path`: its value now comes from `place`."""
        for places in (self.values, self.keys):
            for inside in [each for each in places if each[: len(path)] == path]:
                del places[inside]
        self.noted = [each for each in self.noted if each[0][: len(path)] != path]
        self.wrong = {each for each, _ in self.noted}
        self.values[path] = self.keys[path] = place
