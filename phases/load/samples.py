"""What was seen of a subject: an operation, all with a tag, a group, a kind of user, a region, or everything.

The same selection serves the judged part as a whole and a single second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from campaign.load.outcome import LoadOutcome, Second
from campaign.load.tally import Stage, Tally
from campaign.stats.histogram import Histogram
from phases.load.subjects import ALL, KIND, REGION, TAG, Subjects

GROUP = "group"
"""The name under which a group's time is recorded."""

EVENTS = "events"
"""The name under which the events of each stream are recorded: so many, each as a µs."""

Times = Mapping[tuple[str, str], Histogram]
"""Further times in µs by subject and name."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Requests of one subject, its further times (µs) by name, and the seconds they came in (0: no rate)."""

    tally: Tally
    times: Mapping[str, Histogram] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was seen in some part of a scenario; `everything` are all requests together."""

    operations: Mapping[str, Tally]
    everything: Samples
    views: Mapping[str, Tally]
    times: Times
    seconds: float

    def of(self, subject: str, subjects: Subjects) -> Samples:
        """The samples of a subject; none where it was not seen. A group's times stand as response times."""
        if subject == ALL:
            return self.everything
        if subject.startswith(TAG):
            return self._together(subjects.tags.get(subject.removeprefix(TAG), frozenset()), subjects)
        if subject.startswith((KIND, REGION)):
            return Samples(self.views.get(subject.replace(":", " ", 1)) or empty(), {}, self.seconds)
        if subject in subjects.groups:
            times = self.times.get((subject, GROUP)) or Histogram()
            return Samples(Tally(times, Histogram()), {}, 0.0)
        return self._together([subject], subjects)

    def _together(self, names: Iterable[str], subjects: Subjects) -> Samples:
        wanted = frozenset(names)
        tallies = (tally for name, tally in self.operations.items() if name in wanted)
        times = {key: each for key, each in self.times.items() if key[0] in wanted}
        # What users only do at their start comes mostly before the hold, so it has no rate within it.
        seconds = 0.0 if wanted & subjects.start_only else self.seconds
        return Samples(merged(tallies), by_name(times), seconds)


def judged(outcome: LoadOutcome, subjects: Subjects) -> Seen:
    """What counts for the verdict: the hold, and all of what users only do at their start."""
    hold_times = {(who, what): each for (who, what, stage), each in outcome.measures.items() if _hold(stage)}
    hold = [tally for (_, stage), tally in outcome.tallies.items() if _hold(stage)]
    return Seen(
        operations={
            name: _judged_tally(outcome, name, subjects)
            for name in sorted({name for name, _ in outcome.tallies})
        },
        everything=Samples(merged(hold), by_name(hold_times), outcome.hold_seconds),
        views={name: tally for (name, stage), tally in outcome.views.items() if _hold(stage)},
        times=_judged_times(outcome, subjects),
        seconds=outcome.hold_seconds,
    )


def in_second(second: Second) -> Seen:
    """What came in one second, whatever stage it was due in."""
    everything = Samples(merged(second.tallies.values()), by_name(second.measures), second.seconds)
    return Seen(second.tallies, everything, second.views, second.measures, second.seconds)


def _hold(stage: Stage) -> bool:
    return stage is Stage.HOLD


def _judged_tally(outcome: LoadOutcome, operation: str, subjects: Subjects) -> Tally:
    whole = operation in subjects.start_only
    tallies = outcome.tallies.items()
    return merged(tally for (name, stage), tally in tallies if name == operation and (whole or _hold(stage)))


def _judged_times(outcome: LoadOutcome, subjects: Subjects) -> Times:
    times: dict[tuple[str, str], Histogram] = {}
    for (who, what, stage), histogram in sorted(outcome.measures.items(), key=lambda item: item[0][:2]):
        if _hold(stage) or who in subjects.start_only:
            times.setdefault((who, what), Histogram()).merge(histogram)
    return times


def by_name(times: Times) -> dict[str, Histogram]:
    """The times of all subjects together by their name."""
    together: dict[str, Histogram] = {}
    for (_, name), histogram in times.items():
        together.setdefault(name, Histogram()).merge(histogram)
    return together


def merged(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    whole = empty()
    for tally in tallies:
        whole.merge(tally)
    return whole


def empty() -> Tally:
    """No samples."""
    return Tally(Histogram(), Histogram())
