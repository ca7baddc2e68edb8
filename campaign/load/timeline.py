"""When each user of a scenario comes and leaves, and which kind it is: arithmetic only, nothing here waits.

User k arrives k / ramp seconds after the start. Users leave in reverse, the last to come first, spread evenly
over the ramp-down. Both depend on k alone, so any split of the users over workers sends the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from campaign.clock import SECOND
from campaign.load.spec import ScenarioSpec


@dataclass(frozen=True, slots=True)
class Timeline:
    """Moments of a scenario in clock nanoseconds, given the moment it starts."""

    start_ns: int
    hold_begins: int
    hold_ends: int
    users: int
    ramp: float
    ramp_down: float

    @classmethod
    def of(cls, scenario: ScenarioSpec, start_ns: int) -> Timeline:
        """The timeline of `scenario` when it starts at `start_ns`."""
        begins = start_ns + round(scenario.ramp_seconds * SECOND)
        ends = begins + round(scenario.hold * SECOND)
        return cls(start_ns, begins, ends, scenario.users, scenario.ramp, scenario.ramp_down)

    def arrival(self, user: int) -> int:
        """When user `user` (from 0) starts."""
        return self.start_ns + round(user / self.ramp * SECOND)

    def departure(self, user: int) -> int:
        """The moment from which user `user` sends no further request."""
        return self.hold_ends + round(self.ramp_down * (self.users - 1 - user) / self.users * SECOND)


def assign_kinds(weights: Mapping[str, float], users: int) -> list[str]:
    """The kind of each user 0..users-1: after any number of users each kind is within one of its share.

    The next user is of the kind that lags furthest behind its share, so the mix is right from the first users
    of a ramp on. Kinds of weight 0 get nobody.
    """
    total = sum(weights.values())
    shares = {kind: weight / total for kind, weight in weights.items() if weight > 0}
    given = dict.fromkeys(shares, 0)
    kinds = []
    for count in range(1, users + 1):
        kind = max(shares, key=lambda name: shares[name] * count - given[name])
        given[kind] += 1
        kinds.append(kind)
    return kinds
