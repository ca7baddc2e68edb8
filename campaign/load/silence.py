"""Times without any answer, as one worker sees them and as all of them together did.

The target stalls while no worker gets an answer and at least one of them waits for one. A worker alone cannot
know that, so each reports its *quiet* times (no answer arrived) and within these its *waits* (a request was
out), and the longest stall is found where all are quiet and somebody waits. An answer is any whole HTTP
answer; a refused connection, a reset or a timeout is none, but what failed no longer waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

SHORTEST = 20_000_000
"""Nanoseconds; a worker does not report shorter times than this, so there are at most 50 a second."""

Span: TypeAlias = tuple[int, int]
"""From and to in clock nanoseconds."""


@dataclass(slots=True)
class Silences:
    """What one worker reports; spans that touch are parts of one, cut where they were reported."""

    quiet: list[Span] = field(default_factory=list)
    waits: list[Span] = field(default_factory=list)


class _Open:
    """A time that goes on: reported in parts once it is long enough."""

    __slots__ = ("began", "reported")

    def __init__(self, began: int) -> None:
        self.began = began
        self.reported = False

    def restart(self, now_ns: int) -> None:
        self.began = now_ns
        self.reported = False

    def report(self, spans: list[Span], until: int) -> None:
        if until > self.began and (self.reported or until - self.began >= SHORTEST):
            spans.append((self.began, until))
            self.began = until
            self.reported = True


class SilenceWatch:
    """Told of each request and answer of one worker; cheap while answers come often."""

    __slots__ = ("_quiet", "_spans", "_wait", "waiting")

    def __init__(self, start_ns: int) -> None:
        self.waiting = 0
        self._quiet = _Open(start_ns)
        self._wait = _Open(start_ns)
        self._spans = Silences()

    def began(self, now_ns: int) -> None:
        """A request is out."""
        if not self.waiting:
            self._wait.restart(now_ns)
        self.waiting += 1

    def answered(self, now_ns: int) -> None:
        """A request was answered, whatever the answer says."""
        self.waiting -= 1
        if now_ns - self._quiet.began >= SHORTEST or self._quiet.reported:
            self._wait.report(self._spans.waits, now_ns)
            self._quiet.report(self._spans.quiet, now_ns)
            self._quiet.reported = False
        self._quiet.began = now_ns + 1  # an answer parts two silences; a report in the middle of one does not
        self._wait.restart(now_ns)

    def failed(self, now_ns: int) -> None:
        """A request ended without an answer."""
        self.waiting -= 1
        if not self.waiting:
            self._wait.report(self._spans.waits, now_ns)

    def take(self, now_ns: int) -> Silences:
        """What there is to report up to `now_ns`, each part once."""
        if self.waiting:
            self._wait.report(self._spans.waits, now_ns)
        self._quiet.report(self._spans.quiet, now_ns)
        taken, self._spans = self._spans, Silences()
        return taken


class Stalls:
    """The longest stall of all workers together, in memory that does not grow with the run.

    A stall counts when it begins within `hold`, and then to its end, also past the hold; one that began
    before counts from the hold's beginning.
    """

    def __init__(self, workers: int, hold: Span) -> None:
        self._workers = [Silences() for _ in range(workers)]
        self._hold = hold
        self._settled = hold[0]
        self.longest_ns = 0

    def add(self, worker: int, silences: Silences) -> None:
        """Take in what a worker reports."""
        self._workers[worker].quiet += silences.quiet
        self._workers[worker].waits += silences.waits

    def settle(self, until_ns: int) -> None:
        """Count all stalls up to `until_ns`, when every worker has reported so far; forget what is over."""
        if until_ns <= self._settled:
            return
        quiet = [(self._settled, until_ns)]
        for worker in self._workers:
            quiet = intersect(quiet, join(worker.quiet))
        waits = join(span for worker in self._workers for span in worker.waits)
        for begin, end in intersect(quiet, waits):
            if begin < self._hold[1]:
                self.longest_ns = max(self.longest_ns, end - begin)
        self._settled = quiet[-1][0] if quiet and quiet[-1][1] >= until_ns else until_ns
        self._forget()

    def _forget(self) -> None:
        for worker in self._workers:
            worker.quiet = [span for span in join(worker.quiet) if span[1] > self._settled]
            worker.waits = [span for span in join(worker.waits) if span[1] > self._settled]


def join(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that touch or overlap made one."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def intersect(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Where both lists (in order, without overlaps) have a span."""
    common = []
    position = 0
    for begin, end in some:
        while position < len(others) and others[position][1] <= begin:
            position += 1
        for other_begin, other_end in others[position:]:
            if other_begin >= end:
                break
            common.append((max(begin, other_begin), min(end, other_end)))
    return common
