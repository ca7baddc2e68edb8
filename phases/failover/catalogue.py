"""The scenarios that are shipped: what is broken, in which order, and what is expected meanwhile.

A scenario is a few lines of data; `acts.py` does what the steps say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from campaign.faults.means import FaultKind

During: TypeAlias = Literal["outage", "reads", "degraded"]
"""What is promised while it is broken. `outage`: nothing. `reads`: what the read probes do works. `degraded`:
the service answers, maybe with less.
"""

SERVICE, DATABASE, CACHE = "service", "database", "cache"
DEPENDENCY = "dependency"
"""Stands for a part that the service needs: the database, else the cache, else any other one but itself."""

DEPENDENCIES = (DATABASE, CACHE)


@dataclass(frozen=True, slots=True)
class Blow:
    """One fault: the first of `kinds` that the means of the role can make.

    `self_healing` blows are left to what watches over the part.
    """

    role: str
    kinds: tuple[FaultKind, ...]
    self_healing: bool = False


@dataclass(frozen=True, slots=True)
class Shipped:
    """A scenario. `blows` are made `apart` seconds one after the other, hold for `seconds` together, and are
    put back in the opposite order; that `times` times. `least` blows must be possible (0: all of them).
    `volley`: requests are kept in flight around the blow.
    `random`: which blow, when and how often is drawn from the seed, for `seconds` in all.
    """

    title: str
    blows: tuple[Blow, ...]
    during: During = "outage"
    seconds: float = 10.0
    apart: float = 0.0
    times: int = 1
    volley: bool = False
    random: bool = False
    least: int = 0

    @property
    def roles(self) -> tuple[str, ...]:
        """The parts that it breaks, each once."""
        return tuple(dict.fromkeys(each.role for each in self.blows))


_DOWN = (FaultKind.STOP, FaultKind.KILL, FaultKind.CUT)
_KILLED = (FaultKind.KILL, FaultKind.STOP)
_FROZEN = (FaultKind.PAUSE, FaultKind.BLACKHOLE)

SHIPPED: Mapping[str, Shipped] = {
    "database_down": Shipped("Database down and up", (Blow(DATABASE, _DOWN),)),
    "database_killed": Shipped(
        "Database killed in the middle of transactions", (Blow(DATABASE, (FaultKind.KILL,)),), seconds=5.0
    ),
    "database_crashed": Shipped(
        "Database crashed, and left to what watches over it",
        (Blow(DATABASE, (FaultKind.CRASH,), self_healing=True),),
        seconds=3.0,
    ),
    "cache_down": Shipped("Cache down and up", (Blow(CACHE, _DOWN),), during="degraded"),
    "service_restart": Shipped(
        "Service restarted with requests in flight",
        (Blow(SERVICE, (FaultKind.RESTART, FaultKind.TERM)),),
        seconds=0.0,
        volley=True,
    ),
    "service_killed": Shipped("Service killed and started again", (Blow(SERVICE, _KILLED),), seconds=3.0),
    "service_crashed": Shipped(
        "Service crashed, and left to what watches over it",
        (Blow(SERVICE, (FaultKind.CRASH,), self_healing=True),),
        seconds=3.0,
    ),
    "dependency_frozen": Shipped("Dependency frozen", (Blow(DEPENDENCY, _FROZEN),)),
    "slow_dependency": Shipped(
        "Dependency slow", (Blow(DEPENDENCY, (FaultKind.SLOW, FaultKind.SQUEEZE)),), during="degraded"
    ),
    "cascade": Shipped(
        "Cache down, then the database too", (Blow(CACHE, _DOWN), Blow(DATABASE, _DOWN)), apart=3.0
    ),
    "flapping": Shipped(
        "Dependency down and up again and again", (Blow(DEPENDENCY, _DOWN),), seconds=2.0, apart=3.0, times=3
    ),
    "chaos": Shipped(
        "Faults at random for a while",
        (Blow(DEPENDENCY, (*_DOWN, *_FROZEN)), Blow(SERVICE, _KILLED)),
        seconds=45.0,
        random=True,
        least=1,
    ),
    "cold_start": Shipped(
        "Everything down and up",
        (Blow(SERVICE, _DOWN), Blow(CACHE, _DOWN), Blow(DATABASE, _DOWN)),
        seconds=3.0,
    ),
}
"""The shipped scenarios by name, in the order in which they run: what may do most harm comes last."""

LATENCY = 0.3
"""Seconds that a slow dependency adds to each answer, where the file says nothing else."""
