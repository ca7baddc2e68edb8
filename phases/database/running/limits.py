"""What limits the campaign file may set on a pattern, or on all together."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from campaign.records import Direction, Limit, Severity
from campaign.settings import GradedLimit, Settings, limit_for

ALL = "all"
"""The subject of limits on all patterns together."""

SLOW = "Look at the statement's plan and at the server's waits; compare response and service time."
REMEDIES = {
    "error_rate": "Read the failed statements in the report, the most frequent SQLSTATE first.",
    "rate": "Find what saturates first: locks, the server's processors, its disk, or too few connections.",
}
"""What to do where a metric misses its limit; for times it is SLOW."""

Time = Annotated[GradedLimit, limit_for("s", Direction.AT_MOST)]
Portion = Annotated[GradedLimit, limit_for("share", Direction.AT_MOST)]
PerSecond = Annotated[GradedLimit, limit_for("1/s", Direction.AT_LEAST)]


class PatternLimits(Settings):
    """Limits on what one pattern came to, over the hold; `rate` counts statements."""

    mean: Time | None = None
    p50: Time | None = None
    p90: Time | None = None
    p95: Time | None = None
    p99: Time | None = None
    max: Time | None = None
    error_rate: Portion | None = None
    rate: PerSecond | None = None

    def given(self) -> dict[str, GradedLimit]:
        """The limits that were written, by metric."""
        return {name: graded for name, graded in self if graded is not None}


@dataclass(frozen=True, slots=True)
class Planned:
    """One check that a part must answer; `name` is that of the check and of its measurement.

    `kind` is what messages call a subject ("command"), `remedy` what to do instead of the usual.
    """

    part: str
    subject: str
    metric: str
    graded: GradedLimit
    kind: str = ""
    remedy: str = ""

    @property
    def name(self) -> str:
        """`workload.profile_lookup.mean`; `workload.load_reached`, which has no subject."""
        return ".".join(filter(None, (self.part, self.subject, self.metric)))


def at_most(target: float, unit: str = "s", *, acceptable: float = 0.0) -> GradedLimit:
    """A critical limit that is better the smaller the figure is."""
    limit = Limit(target, acceptable or target, unit, Direction.AT_MOST)
    return GradedLimit(limit=limit, severity=Severity.CRITICAL)


def at_least(target: float, unit: str = "1/s") -> GradedLimit:
    """A critical limit that is better the larger the figure is."""
    return GradedLimit(limit=Limit(target, target, unit, Direction.AT_LEAST), severity=Severity.CRITICAL)


def offered_to(weights: Mapping[Any, float], rate: float) -> dict[str, float]:
    """How many per second of each pattern, and of all together, an open load of `rate` offers, about."""
    whole = sum(weights.values())
    return {ALL: rate, **{name: rate * weight / whole for name, weight in weights.items() if whole}}


def unreachable(own: Mapping[Any, PatternLimits], offered: Mapping[str, float]) -> str:
    """The limit of the file that no database can keep, as fewer statements are offered; "" where none is."""
    for subject, limits in own.items():
        asked = limits.rate.limit.target if limits.rate else 0.0
        there = offered.get(subject)
        if there is not None and asked > there and not math.isclose(asked, there):
            return f"{subject}: {{rate: {asked:g}/s}}, and {there:g}/s are offered"
    return ""


def planned(
    part: str, shipped: Mapping[str, Mapping[str, GradedLimit]], own: Mapping[str, PatternLimits]
) -> tuple[Planned, ...]:
    """The shipped limits by subject and metric, each replaced by the file's own where it has one."""
    table = {(subject, metric): graded for subject, row in shipped.items() for metric, graded in row.items()}
    table |= {
        (subject, metric): graded for subject, row in own.items() for metric, graded in row.given().items()
    }
    return tuple(Planned(part, subject, metric, graded) for (subject, metric), graded in table.items())
