"""The contract of a phase, ours and foreign: collect evidence, then judge it.

A phase is a class with an `info` and two methods. `collect` is the only part that touches the outside world
and records as it goes; `judge` is pure, so the same evidence can be judged again years later from
report.json.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from campaign.clock import Clock
from campaign.monitor.source import Reading
from campaign.records import Evidence, Finding, Measurement, Series
from campaign.settings import Settings
from campaign.target.spec import TargetSpec, Vocabulary


@dataclass(frozen=True, slots=True)
class PhaseInfo:
    """What a phase says of itself before it runs.

    `requires` names what the target must have: http, database, redis, docker; of `database|redis` one is
    enough. `disruptive` phases break
    something on purpose and ask first. `partial` is (package, file name, ...) of the Jinja
    template for the phase's part of the page, in one file or several, or None. `gives` are names that
    templates may use because the phase itself gives them a value.
    """

    name: str
    title: str
    summary: str
    requires: tuple[str, ...]
    settings: type[Settings]
    disruptive: bool = False
    partial: tuple[str, ...] | None = None
    gives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """What people must hear at once: `kind` is a word to choose by ("violation"), by which the campaign file
    says who is told and whether the campaign ends there.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase is: `share` 0..1 (None: unknown), a few words, live figures, and an alert.

    Figures that the terminal knows: rate (1/s), p95 (s), error_rate (share), users, requests.
    """

    share: float | None
    message: str
    figures: Mapping[str, float] = field(default_factory=dict)
    alert: Alert | None = None


class Record(Protocol):
    """Where evidence goes; every call is on disk before it returns."""

    def measurement(self, measurement: Measurement) -> None:
        """Keep a number; a later one of the same name replaces it."""

    def points(self, at: float, values: Mapping[str, tuple[float | None, str]]) -> None:
        """Add one point (value, unit) to each named series, at seconds since the campaign began."""

    def fact(self, name: str, value: Any) -> None:
        """Keep plain JSON data under `name`; a later one replaces it."""

    def note(self, text: str) -> None:
        """Keep a sentence for the reader."""

    def elapsed(self) -> float:
        """Seconds since the campaign began: the time that points are given in."""


class Monitored(Protocol):
    """What is watched beside the phases while they run: the host, the target's process, ourselves. Times are
    seconds since the campaign began; a value that could not be read is None, a gap.
    """

    def names(self) -> tuple[str, ...]:
        """The series that were seen so far."""

    def latest(self) -> Reading:
        """The last reading: name -> (value, unit)."""

    def series(self, name: str) -> Series | None:
        """What is known of a series so far, older points thinned to the extremes; None: never seen."""

    def listen(self, hear: Callable[[float, Reading], None]) -> AbstractContextManager[None]:
        """Within it `hear` is called with the time and the values of each reading; it must not raise."""


class Unmonitored:
    """Nothing is watched."""

    def names(self) -> tuple[str, ...]:
        """None."""
        return ()

    def latest(self) -> Reading:
        """Nothing."""
        return {}

    def series(self, name: str) -> Series | None:  # noqa: ARG002 - there is none of any name
        """None."""
        return None

    def listen(self, hear: Callable[[float, Reading], None]) -> AbstractContextManager[None]:  # noqa: ARG002
        """Nothing is ever heard."""
        return nullcontext()


class Stop:
    """Tells a phase to end cleanly, and when it must have ended (clock nanoseconds)."""

    def __init__(self, deadline_ns: int) -> None:
        self.deadline_ns = deadline_ns
        self._event = asyncio.Event()

    @property
    def requested(self) -> bool:
        """Whether the phase should come to its end now."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask the phase to end; asking twice is the same as once."""
        self._event.set()

    async def wait(self) -> None:
        """Return when the phase should end."""
        await self._event.wait()


@dataclass(frozen=True, slots=True)
class PhaseContext:
    """All that a phase is given; small on purpose.

    `settings` is an instance of `info.settings`. `baseline` is the same phase's evidence of an earlier run,
    if the user named one. `earlier` is what a phase that can go on (`Resuming`) recorded before its run was
    broken off; it is in `record` already. `workdir` is a folder of the phase's own, not made yet. A phase
    returns soon after `stop` is requested.
    """

    target: TargetSpec
    vocabulary: Vocabulary
    settings: Any
    clock: Clock
    seed: int
    workdir: Path
    baseline: Evidence | None
    record: Record
    notify: Callable[[Progress], None]
    stop: Stop
    monitored: Monitored = field(default_factory=Unmonitored)
    earlier: Evidence | None = None


class Phase(Protocol):
    """A phase; made without arguments, once per label in the campaign file."""

    @property
    def info(self) -> PhaseInfo:
        """What this phase is called, needs and reads from the campaign file."""

    async def collect(self, context: PhaseContext) -> None:
        """Observe the target and record what was seen; raise only what ends the phase."""

    def judge(self, evidence: Evidence, settings: Any) -> tuple[Finding, ...]:
        """The findings that the evidence supports, one per planned check, also for what was never reached.
        Pure.
        """

    def seconds(self, settings: Any) -> float:
        """How long `collect` takes with these settings, about; the deadline and the time left come from
        it.
        """


@runtime_checkable
class Prepared(Protocol):
    """What a phase may have besides: a look at the target before the first phase of the campaign begins."""

    async def before(self, target: TargetSpec) -> None:
        """Look at what will be compared with later, and whether the phase can begin at all.

        Takes seconds at most and changes nothing. Raises ConfigurationError where the campaign file is wrong
        (a password, a driver that is missing): then nothing is run. What else it raises is ignored.
        """


@runtime_checkable
class Situated(Protocol):
    """What a phase may have besides, where what it needs depends on its settings."""

    def lacks(self, target: TargetSpec, settings: Any) -> str:
        """What the campaign file would have to name so that the phase can do anything; "" where it does."""

    async def verify(self, target: TargetSpec, settings: Any) -> None:
        """Look whether what the settings name is there, before the first phase of the campaign begins.

        Takes seconds at most and changes nothing. Raises ConfigurationError where the campaign file is wrong:
        then nothing is run. What else it raises is ignored.
        """


@runtime_checkable
class Standing(Protocol):
    """What a phase may have besides, where something of its own must be in place while other phases run."""

    def standing(self, settings: Any) -> AbstractAsyncContextManager[str]:
        """Within it that is in place. Gives what could not be put there and why, as a phrase ("": all is).
        Never entered while the phase itself runs.
        """


@runtime_checkable
class Breaking(Protocol):
    """What a phase may have besides, where it depends on its settings whether it breaks anything."""

    def breaks(self, settings: Any) -> bool:
        """Whether it breaks something on purpose with these settings, as a `disruptive` phase always does."""


@runtime_checkable
class Resuming(Protocol):
    """What a phase may have besides, where it can go on with what it recorded before it was broken off."""

    def seconds_left(self, settings: Any, earlier: Evidence) -> float:
        """How long `collect` takes yet, about, when its context has what was recorded `earlier`."""


def is_disruptive(phase: Phase, settings: Any) -> bool:
    """Whether the phase breaks something on purpose with these settings, and so asks first."""
    return phase.info.disruptive or (isinstance(phase, Breaking) and phase.breaks(settings))


@runtime_checkable
class Foretelling(Protocol):
    """What a phase may have besides: more to say of its plan than how long it takes, for `campaign check`."""

    def foretell(self, settings: Any, vocabulary: Vocabulary) -> Iterable[str]:
        """Lines for a reader of the plan. Sends nothing; raises ConfigurationError where a file that the
        settings name cannot be used.
        """
