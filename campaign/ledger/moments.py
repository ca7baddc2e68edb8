"""When it failed and when it was well again, told from the marks of a ledger alone.

Recovery counts from the first failure. From the fault on it would read 0 s: acknowledgements of writes that
were under way still come in while a server shuts down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from campaign.clock import SECOND
from campaign.ledger.entry import FAILURES, Entry, Mark

STEADY_NS = SECOND
"""So long nothing may fail before we call it healthy again."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments in nanoseconds since the ledger began; None: it did not come to that.

    `healthy_ns` is the first acknowledgement after the last failure, where more were acknowledged for a while
    after it: a failure later on moves it. `last_acknowledged_ns` is when the watch
    began where nothing was acknowledged. `gap_ns` is the longest time without an
    acknowledgement and `gap_from_ns` its beginning; where nothing was acknowledged it is all the time.
    """

    first_failure_ns: int | None
    last_failure_ns: int | None
    first_success_ns: int | None
    healthy_ns: int | None
    failures: int
    acknowledged: int
    last_acknowledged_ns: int
    gap_ns: int
    gap_from_ns: int

    @property
    def to_healthy_ns(self) -> int | None:
        """Nanoseconds from the first failure until it was healthy again; None where nothing failed, or it
        never was.
        """
        if self.first_failure_ns is None or self.healthy_ns is None:
            return None
        return self.healthy_ns - self.first_failure_ns


class Watch:
    """Follows the entries from `since_ns` on, in their order, in constant memory.

    It is healthy again once nothing failed for `steady_ns` while writes were acknowledged, and is so no more
    when something fails after that.
    """

    def __init__(self, *, since_ns: int = 0, steady_ns: int = STEADY_NS) -> None:
        self._since_ns, self._steady_ns = since_ns, steady_ns
        self._first_failure: int | None = None
        self._last_failure: int | None = None
        self._success: int | None = None
        self._healthy: int | None = None
        self._failures = self._acknowledged = 0
        self._last_acknowledged = since_ns
        self._gap, self._gap_from = 0, since_ns

    def see(self, entry: Entry) -> None:
        """Take one more entry into account."""
        if entry.at_ns < self._since_ns:
            return
        if entry.mark is Mark.ACKNOWLEDGED:
            self._succeed(entry.at_ns)
        elif entry.mark in FAILURES:
            self._fail(entry.at_ns)

    def _succeed(self, at: int) -> None:
        if at - self._last_acknowledged > self._gap:
            self._gap, self._gap_from = at - self._last_acknowledged, self._last_acknowledged
        self._last_acknowledged = at
        self._acknowledged += 1
        if self._first_failure is None or self._healthy is not None:
            return
        if self._success is None:
            self._success = at
        elif at - self._success >= self._steady_ns:
            self._healthy = self._success

    def _fail(self, at: int) -> None:
        self._failures += 1
        self._first_failure = at if self._first_failure is None else self._first_failure
        self._last_failure, self._success, self._healthy = at, None, None

    def moments(self, until_ns: int) -> Moments:
        """What was seen, up to `until_ns`: a time without acknowledgements lasts until then."""
        tail = until_ns - self._last_acknowledged
        longest = max(self._gap, tail)
        return Moments(
            first_failure_ns=self._first_failure,
            last_failure_ns=self._last_failure,
            first_success_ns=self._success,
            healthy_ns=self._healthy,
            failures=self._failures,
            acknowledged=self._acknowledged,
            last_acknowledged_ns=self._last_acknowledged,
            gap_ns=longest,
            gap_from_ns=self._last_acknowledged if tail > self._gap else self._gap_from,
        )


def moments(
    entries: Iterable[Entry], until_ns: int, *, since_ns: int = 0, steady_ns: int = STEADY_NS
) -> Moments:
    """The moments of these entries between `since_ns` and `until_ns`. Pure."""
    watch = Watch(since_ns=since_ns, steady_ns=steady_ns)
    for entry in entries:
        if entry.at_ns <= until_ns:
            watch.see(entry)
    return watch.moments(until_ns)
