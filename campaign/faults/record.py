"""The undo record: what was there before something was broken, and what puts it back, as plain data.

Standard library only: the guardian reads it too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class HealStep:
    """One thing to put back. `kind` says who does it: `container`, `process`, `command` or `route`.

    `where` finds it and `state` is how it was; both are plain JSON that only its kind understands. `by_hand`
    are the shell commands that a person would type instead.
    """

    kind: str
    where: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=dict)
    by_hand: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Maker:
    """The process that broke it; `began` is its start time in clock ticks since boot, as /proc/PID/stat says
    (0: unknown).
    """

    host: str
    process: int
    began: int


@dataclass(frozen=True, slots=True)
class UndoRecord:
    """One fault, about to be made: what (a sentence), the steps that put all back, and until when.

    `opened_at` in seconds since 1970; by `seconds` after it everything is put back by the guardian, whoever
    lives. `target` is the URL of the system under test, `run` the folder of the run's report.
    """

    id: str
    what: str
    target: str
    run: str
    steps: tuple[HealStep, ...]
    opened_at: float
    seconds: float
    maker: Maker

    @property
    def by_hand(self) -> tuple[str, ...]:
        """What a person would type to put all of it back."""
        return tuple(line for step in self.steps for line in step.by_hand)

    def to_json(self) -> str:
        """The record as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The record in a text. Raises ValueError where it is none."""
        try:
            raw = json.loads(text)
            steps = tuple(
                HealStep(each["kind"], each["where"], each["state"], tuple(each["by_hand"]))
                for each in raw["steps"]
            )
            return cls(**{**raw, "steps": steps, "maker": Maker(**raw["maker"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"no undo record: {error}") from error
