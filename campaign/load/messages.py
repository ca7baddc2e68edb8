"""What the parent and its load workers tell each other, and how it is framed: a length, then a pickle.

Both ends are our own code, started by one another on one machine or members of one trusted cluster, so pickle
is safe here.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from campaign.load.faillog import Key
from campaign.load.machine import Means, Vitals
from campaign.load.silence import Silences
from campaign.load.spec import LoadPlan
from campaign.load.tally import ErrorGroup, Person, Sighting, Stage, Tally
from campaign.stats.histogram import Histogram

_LENGTH = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Shard:
    """One worker's part of a plan: the users k with k mod plan.workers == index."""

    plan: LoadPlan
    index: int


@dataclass(frozen=True, slots=True)
class Start:
    """All workers are ready: begin at this moment of the machine's monotonic clock."""

    start_ns: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End now: requests in flight have `grace` seconds left."""

    grace: float


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything is imported and compiled; `means` is what the worker is granted by its machine."""

    means: Means


@dataclass(frozen=True, slots=True)
class Began:
    """When the worker really began, in ns of the clock of Start."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The worker cannot work, and why in one sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Interval:
    """What one worker saw in second number `sequence` (from 0) of the scenario; sums, so that intervals add
    up.

    `tallies` are by operation, `views` by other labels; `measures` hold times that are no requests, by
    subject and name. `users` and `waiting` are of its end. `worked_ns` is time at work within the hold, of
    all users together. `schedule_lags` and `loop_lags` are in µs; `cpu` is the share of one core since the
    hold began, so the last one counts. `people`, by number, come with the last interval only.
    `sightings` are the first few canaries that users were shown of others.
    """

    sequence: int
    began_ns: int
    ended_ns: int
    tallies: Mapping[tuple[str, Stage], Tally]
    views: Mapping[tuple[str, Stage], Tally]
    measures: Mapping[tuple[str, str, Stage], Histogram]
    counts: Mapping[str, int]
    errors: Mapping[Key, ErrorGroup]
    users: int
    waiting: int
    worked_ns: int
    silences: Silences
    reconnects: int
    schedule_lags: Histogram
    loop_lags: Histogram
    cpu: float
    people: Mapping[int, Person] = field(default_factory=dict)
    vitals: Vitals = field(default_factory=Vitals)
    sightings: tuple[Sighting, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """All users of the worker have left; the part of a second since the last interval is in `last`."""

    last: Interval


def encode(message: object) -> bytes:
    """The frame of `message`."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


def decode(frame: bytes) -> Any:
    """The message in a whole frame."""
    return pickle.loads(memoryview(frame)[_LENGTH.size :])  # noqa: S301 (our own process wrote it)


async def read_message(reader: asyncio.StreamReader) -> Any:
    """The next message, or None where the other end is gone (a frame cut in the middle is no message)."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return pickle.loads(await reader.readexactly(length))  # noqa: S301 (our own process wrote it)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
