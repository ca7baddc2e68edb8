"""Every fault there is, by kind: which means can make it, and the fault itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from campaign.clock import Clock
from campaign.faults.commands import CommandFault
from campaign.faults.containers.down import Crash, Kill, Restart, Stop, Term
from campaign.faults.containers.engine import Engine
from campaign.faults.containers.fault import Aim
from campaign.faults.containers.frozen import Pause
from campaign.faults.containers.offline import Disconnect
from campaign.faults.containers.place import find_engine
from campaign.faults.containers.squeezed import Squeeze
from campaign.faults.fault import Fault, FaultError
from campaign.faults.means import FaultKind, Means, ProcessMeans, Strength
from campaign.faults.processes import ProcessFault
from campaign.faults.routes import RouteFault

ON_CONTAINERS: dict[FaultKind, Callable[[Aim, Strength], Fault]] = {
    FaultKind.STOP: lambda aim, how: Stop(aim, grace=how.grace),
    FaultKind.KILL: lambda aim, _: Kill(aim),
    FaultKind.CRASH: lambda aim, _: Crash(aim),
    FaultKind.RESTART: lambda aim, how: Restart(aim, grace=how.grace),
    FaultKind.TERM: lambda aim, how: Term(aim, grace=how.grace),
    FaultKind.PAUSE: lambda aim, _: Pause(aim),
    FaultKind.SQUEEZE: lambda aim, how: Squeeze(aim, cpus=how.cpus, memory=how.memory),
    FaultKind.DISCONNECT: lambda aim, _: Disconnect(aim),
}
ON_PROCESSES = frozenset(
    {FaultKind.STOP, FaultKind.KILL, FaultKind.CRASH, FaultKind.RESTART, FaultKind.TERM, FaultKind.PAUSE}
)
BY_COMMANDS = frozenset({FaultKind.STOP, FaultKind.KILL})
"""A pair of commands takes a part down and brings it up; how, only the user knows."""

ON_ROUTES = frozenset({FaultKind.SLOW, FaultKind.CUT, FaultKind.RESET, FaultKind.BLACKHOLE})


def can_make(kind: FaultKind, means: Means) -> str:
    """Which of the means would make it: `container`, `process`, `command` or `route`; "" where none can."""
    able = (
        ("container", means.container is not None and kind in ON_CONTAINERS),
        ("process", means.process is not None and _on_process(kind, means.process)),
        ("command", means.command is not None and kind in BY_COMMANDS),
        ("route", means.route is not None and kind in ON_ROUTES),
    )
    return next((name for name, is_able in able if is_able), "")


def _on_process(kind: FaultKind, process: ProcessMeans) -> bool:
    """A crash is only one where something brings it back."""
    return kind in ON_PROCESSES and (process.supervised or kind is not FaultKind.CRASH)


def make_fault(
    kind: FaultKind, *, role: str, means: Means, clock: Clock,
    strength: Strength | None = None, ready: float = 30.0, answer: float = 20.0,
) -> Fault:  # fmt: skip
    """The fault, for one use.

    `ready`: seconds that it waits, when healing, for the part to run and be healthy; `answer`: seconds that
    an engine or a command has to answer. The target is first asked by the fault's `look`.

    Raises FaultError where none of the means can make it, no engine is found, or the strength says nothing.
    """
    how = strength or Strength()
    by = can_make(kind, means)
    if kind is FaultKind.SQUEEZE and how.cpus is None and how.memory is None:
        raise FaultError(f"{role}: a squeeze says what it leaves: cpus, memory or both")
    if by == "container":
        return ON_CONTAINERS[kind](_aim(role, means, clock, waits=Waits(ready, answer)), how)
    if by == "process" and means.process is not None:
        return ProcessFault(kind, role=role, means=means.process, clock=clock, grace=how.grace, ready=ready)
    if by == "command" and means.command is not None:
        return CommandFault(role=role, means=means.command, clock=clock, seconds=answer)
    if by == "route" and means.route is not None:
        return RouteFault(kind, role=role, means=means.route, clock=clock, strength=how)
    raise FaultError(f"{role}: nothing that the file gives for it can {kind}; {_wanted(kind)}")


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds: see `make_fault`."""

    ready: float
    answer: float


def _aim(role: str, means: Means, clock: Clock, *, waits: Waits) -> Aim:
    engine = Engine(find_engine(means.engine.url), answer=waits.answer)
    return Aim(role, means.container or "", engine, clock, waits.ready)


def _wanted(kind: FaultKind) -> str:
    ways = [
        *(["target.containers"] if kind in ON_CONTAINERS else []),
        *(["phases.failover.processes"] if kind in ON_PROCESSES else []),
        *(["phases.failover.commands"] if kind in BY_COMMANDS else []),
        *(["phases.failover.routes"] if kind in ON_ROUTES else []),
    ]
    return f"it takes {' or '.join(ways)}"
