"""The moments of a scenario on a clock, and which kind each of its users is: arithmetic only, nothing here
waits.

All of it depends on a user's number alone, so any split of the users over workers sends the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from campaign.clock import SECOND
from campaign.errors import ConfigurationError
from campaign.load.profile import Profile
from campaign.load.spec import ScenarioSpec


@dataclass(frozen=True, slots=True)
class Timeline:
    """Moments of a scenario in clock nanoseconds, given the moment it starts."""

    start_ns: int
    hold_begins: int
    hold_ends: int
    ends: int
    profile: Profile

    @classmethod
    def of(cls, scenario: ScenarioSpec, start_ns: int) -> Timeline:
        """The timeline of `scenario` when it starts at `start_ns`."""
        begins, ends = (start_ns + round(each * SECOND) for each in scenario.judged)
        return cls(start_ns, begins, ends, start_ns + round(scenario.seconds * SECOND), scenario.profile)

    def visits(self, user: int) -> list[tuple[int, int]]:
        """When user `user` (from 0) of a closed model comes, and from when it sends no further request."""
        return [(self.moment(come), self.moment(leave)) for come, leave in self.profile.spans(user)]

    def moment(self, seconds: float) -> int:
        """The moment `seconds` after the start."""
        return self.start_ns + round(seconds * SECOND)

    def seconds(self, moment_ns: int) -> float:
        """The seconds since the start at that moment."""
        return (moment_ns - self.start_ns) / SECOND


def assign_kinds(
    weights: Mapping[str, float], users: int, *, counts: Mapping[str, int] | None = None
) -> list[str]:
    """The kind of each user 0..users-1: after any number of users each kind is within one of its share.

    The next user is of the kind that lags furthest behind its share, so the mix is right from the first users
    of a ramp on. Kinds of weight 0 get nobody. Kinds with a number in `counts` get exactly so many, before
    all others, as far as there are users. Raises ConfigurationError where no kind is left for some users.
    """
    counted = [kind for kind, count in (counts or {}).items() for _ in range(count)][:users]
    if len(counted) < users and not any(weight > 0 for weight in weights.values()):
        raise ConfigurationError(
            f"{users} users, and a kind for only {len(counted)} of them: the kinds that are left have a "
            "count, or a weight of 0"
        )
    return counted + _by_weight(weights, users - len(counted))


def _by_weight(weights: Mapping[str, float], users: int) -> list[str]:
    total = sum(weights.values())
    shares = {kind: weight / total for kind, weight in weights.items() if weight > 0}
    given = dict.fromkeys(shares, 0)
    kinds = []
    for count in range(1, users + 1):
        kind = max(shares, key=lambda name: shares[name] * count - given[name])
        given[kind] += 1
        kinds.append(kind)
    return kinds
