"""How well our own generator kept time, and the limits past which its figures prove nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GeneratorHealth:
    """How well we kept time ourselves over the hold, the worst worker for each figure.

    `loop_lag_p99`, `schedule_lag_p99` and `longest_lag` in seconds; `cpu` is the share of one core;
    `workers_lost` ended before their time. `start_skew`: the most by which a worker began after the published
    moment, with what its clock may be wrong by. `longest_pause` and `paused` (seconds) are of the garbage
    collector. `stolen` is the share of processor time that the machine's host gave to others.
    `exhausted` connections found no free file or port here; at most `closing` ones of the whole machine held
    a port after their end. `ports` are those towards one address, `open_files` the fewest that a worker may
    have (0: not known).
    `shortages` are what might have run out, known before the start.
    """

    loop_lag_p99: float
    schedule_lag_p99: float
    cpu: float
    workers: int
    workers_lost: int
    losses: tuple[str, ...] = ()
    longest_lag: float = 0.0
    start_skew: float = 0.0
    longest_pause: float = 0.0
    paused: float = 0.0
    stolen: float = 0.0
    exhausted: int = 0
    closing: int = 0
    ports: int = 0
    open_files: int = 0
    shortages: tuple[str, ...] = ()

    def saturation(self) -> str:
        """Why the figures of this scenario are not to be trusted upwards, or "" when they are."""
        return next((why for past, why in (*self._missing(), *self._delays(), *self._others()) if past), "")

    def delay(self) -> str:
        """Why times may seem longer than the target took, or ""."""
        return next((why for past, why in self._delays() if past), "")

    def _missing(self) -> Iterator[tuple[bool, str]]:
        why = f": {self.losses[0]}" if self.losses else ""
        yield bool(self.workers_lost), f"{self.workers_lost} of {self.workers} load workers were lost{why}"
        yield (
            bool(self.exhausted),
            f"{self.exhausted:,} connections could not be opened, as files or ports had run out here",
        )

    def _delays(self) -> Iterator[tuple[bool, str]]:
        """What makes us late to send a request, or to see its answer."""
        lag = "lag p99 {:.0f} ms (at most {:.0f} ms)".format
        yield (
            self.loop_lag_p99 > MAX_LOOP_LAG,
            f"event-loop {lag(self.loop_lag_p99 * 1e3, MAX_LOOP_LAG * 1e3)}",
        )
        yield (
            self.schedule_lag_p99 > MAX_SCHEDULE_LAG,
            f"schedule {lag(self.schedule_lag_p99 * 1e3, MAX_SCHEDULE_LAG * 1e3)}",
        )
        yield (
            self.longest_lag > MAX_FREEZE,
            f"it stood still for {self.longest_lag:.1f} s (at most {MAX_FREEZE:.0f} s)",
        )
        yield (
            self.longest_pause > MAX_PAUSE,
            f"its garbage collector paused it for {self.longest_pause:.2f} s (at most {MAX_PAUSE:g} s)",
        )
        yield (
            self.stolen > MAX_STOLEN,
            f"{self.stolen:.0%} of its processor time was given to other machines (at most {MAX_STOLEN:.0%})",
        )

    def _others(self) -> Iterator[tuple[bool, str]]:
        yield self.cpu > MAX_CPU, f"{self.cpu:.0%} of a core used by a worker (at most {MAX_CPU:.0%})"
        yield (
            self.start_skew > MAX_SKEW,
            f"a worker began {self.start_skew:.2f} s away from the common start (at most {MAX_SKEW:g} s)",
        )


MAX_LOOP_LAG = 0.05
"""Seconds; a generator whose loop lags more adds visible time to every answer."""

MAX_SCHEDULE_LAG = 0.05
"""Seconds; one that begins its requests later than that after they were due sends another load than asked."""

MAX_FREEZE = 1.0
"""Seconds; a generator that once stood still for longer cannot tell its own silence from the target's."""

MAX_PAUSE = 0.25
"""Seconds; a longer pause of the garbage collector is seen in the slowest answers."""

MAX_CPU = 0.95
"""Share of one core; above it a worker cannot send when it should."""

MAX_SKEW = 0.5
"""Seconds; workers that begin further apart make another profile of the load than the one asked for."""

MAX_STOLEN = 0.1
"""Share of processor time; above it pauses come that no clock of ours can tell from the target's."""
