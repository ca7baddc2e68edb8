"""What a scenario came to, second by second and as a whole; plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from campaign.load.generator import GeneratorHealth
from campaign.load.spec import ScenarioSpec
from campaign.load.tally import ErrorGroup, Person, Sighting, Stage, Tally

if TYPE_CHECKING:
    from campaign.stats.histogram import Histogram


@dataclass(frozen=True, slots=True)
class Second:
    """What all workers saw in one second of a scenario, for the chart and the live display.

    `at` is seconds since the scenario began. Latencies are response times in seconds of all operations
    together, None where no answer came in that second. `users` are active, `waiting` are requests without
    an answer at its end. `tallies` has its samples by operation, `views` by other labels, `measures` the
    times that are no requests, `counts` what else happened. It took `seconds`: more than one where a worker
    froze.
    """

    at: float
    rate: float
    p50: float | None
    p95: float | None
    error_rate: float | None
    users: int
    waiting: int
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    views: Mapping[str, Tally] = field(default_factory=dict)
    measures: Mapping[tuple[str, str], Histogram] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 1.0


Measures: TypeAlias = Mapping[tuple[str, str, Stage], "Histogram"]
"""Times in µs that are no requests, by what they belong to, their name and stage: ("story", "first_event",
Stage.HOLD).
"""


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What a scenario came to.

    `tallies` maps (operation, stage) to its samples, `views` does so for further labels ("kind parent",
    "region eu") on request, and `people` the samples of single users by number, from 1. `counts` are of the
    whole scenario ("retries"). `longest_stall` is the longest
    time in seconds, over the judged part, in which no answer at all arrived although requests were waiting.
    `load_reached` is the share of the load asked for in the judged part that was really there: of the closed
    model's user-seconds, those in which a user had finished its start and was at work; of the open model's
    arrivals, those that were begun. `sightings` are canaries that users were shown of others, the first of
    each worker; all of them are in `counts`.
    """

    scenario: ScenarioSpec
    tallies: Mapping[tuple[str, Stage], Tally]
    errors: tuple[ErrorGroup, ...]
    longest_stall: float | None
    load_reached: float | None
    hold_seconds: float
    generator: GeneratorHealth
    reconnects: int = 0
    views: Mapping[tuple[str, Stage], Tally] = field(default_factory=dict)
    measures: Measures = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    people: Mapping[int, Person] = field(default_factory=dict)
    sightings: tuple[Sighting, ...] = ()
