"""What a failover scenario saw, raw: every probe, every strike with its moments, every write.

All moments are nanoseconds since the scenario began, on one clock; None where it did not come to that.
`measure.py` makes figures of a story, and `judge.py` findings of the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from campaign.ledger.comparison import Comparison


class Ending(StrEnum):
    """How a probe ended. Fast failures are REFUSED, RESET, STATUS and WRONG; HUNG is one that had no whole
    answer within its time-out. UNSENT: it was due and we ourselves did not come to it.
    """

    OK = "ok"
    REFUSED = "refused"
    RESET = "reset"
    STATUS = "status"
    WRONG = "wrong"
    HUNG = "hung"
    UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class Probe:
    """One request of the open model. `kind` is `read` or `write`, or `volley`: one of those that are kept in
    flight around a SIGTERM so that there are some to lose. A volley is no part of the open model: it counts
    for `in_flight` alone, in no rate, window or error budget. In flight is what was sent before the command:
    one sent after it may meet a connection that is just closing.

    `status` is 0 where there was no answer; `said` are the first words of an answer that was no success.
    """

    kind: str
    operation: str
    due_ns: int
    sent_ns: int
    done_ns: int
    ending: Ending
    status: int = 0
    said: str = ""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault of a scenario, from the command to restoration; the moments are those of `Injected` and
    `Healed`.

    `heals_itself`: nothing of ours was to put it back. `restored` is False where it is not proved that it is
    as it was; then `by_hand` says what to type.
    """

    subject: str
    what: str
    sent_ns: int | None = None
    confirmed_ns: int | None = None
    proved: bool = False
    proof: str = ""
    heals_itself: bool = False
    start_ns: int | None = None
    running_ns: int | None = None
    healthy_ns: int | None = None
    restored: bool = False
    restored_detail: str = ""
    by_hand: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Readback:
    """The ledger held against one place where writes were looked for: `api` or `database`.

    `why` says why it could not be read; then `comparison` is None.
    """

    place: str
    comparison: Comparison | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Consistent:
    """One invariant, count or cache compared afterwards: `name`, whether it holds (None: could not be asked),
    and both numbers in words.
    """

    name: str
    holds: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Story:
    """All that one scenario saw.

    `during` is what the campaign file declares for the outage: `outage`, `reads`, `degraded`. `steady_ns` is
    when the steady state before was over (the first strike comes after it); `rate` in probes per second and
    `timeout` in seconds are those of the probes. `why` says why it broke off or was never run.
    """

    name: str
    title: str
    during: str
    rate: float
    timeout: float
    probes: tuple[Probe, ...] = ()
    strikes: tuple[Strike, ...] = ()
    steady_ns: int = 0
    ended_ns: int = 0
    why: str = ""
    readbacks: tuple[Readback, ...] = ()
    consistent: tuple[Consistent, ...] = ()
    sessions_before: int = 0
    sessions_after: int | None = None
    pool_sessions_before: int | None = None
    pool_sessions_after: int | None = None
    load_p95_before: float | None = None
    load_p95_after: float | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)
