"""Whether what must not grow grows: one finding for each series, judged together; and latency, and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from campaign import checks
from campaign.records import Evidence, Finding, Measurement, Series, Severity
from campaign.stats.growth import Growth, Verdict, judge_growth, judge_together
from campaign.units import format_quantity
from phases.stability.settings import HOUR, StabilitySettings
from phases.stability.windows import LOW

LEAK = (
    "Take two heap snapshots some hours apart and compare what there is more of: caches without a bound, "
    "listeners and tasks that nobody ends, connections that are not given back."
)
DRIFT = (
    "Look for what grows with time or with the rows written: a table without an index, a list that is "
    "walked, a queue that is never empty."
)
LONGER = (
    "Run it longer, or with a quieter target: so much time is needed before growth that matters would show."
)

FAR, DRIFT_FAR = 50.0, 10.0
"""So many times as long as growth was watched it is taken to go on: in minutes every warm-up looks like a
leak, if a week is foretold from it. Latency is more restless than memory.
"""

DRIFTING = {"soak.p50": "p50", "soak.p95": "p95", "soak.error_rate": "error_rate"}
"""Series of how users were served, and what their checks are called."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """A series on trial: how much it may grow in `horizon` seconds."""

    check: str
    what: str
    series: Series
    room: float
    horizon: float
    severity: Severity
    remedy: str
    far: float = FAR


def judge_leaks(evidence: Evidence, settings: StabilitySettings) -> Iterator[Finding]:
    """One finding for each series of the settings."""
    there = {each.name: each for each in evidence.series}
    watched: dict[str, _Watched] = {}
    for name in settings.growing:
        series, check = there.get(LOW + name), f"growth.{name}"
        if series is None or all(value is None for value in series.values):
            why = f"{name} was not seen, so nobody knows whether it grows"
            yield checks.inconclusive(check, why, severity=Severity.CRITICAL, remedy=UNSEEN)
            continue
        room = settings.room_of(name, series.unit)
        watched[name] = _Watched(check, name, series, room, settings.horizon, Severity.CRITICAL, LEAK)
    yield from _findings(watched, evidence)


UNSEEN = "Run the campaign on the target's machine, or name a series of `growing` that is seen (series.csv)."


def judge_drift(evidence: Evidence, settings: StabilitySettings) -> Iterator[Finding]:
    """Whether users were served ever more slowly, or worse."""
    there = {each.name: each for each in evidence.series}
    watched: dict[str, _Watched] = {}
    for name, check in DRIFTING.items():
        series = there.get(name)
        known = [value for value in series.values if value is not None] if series else []
        if series is None or not known:
            why = f"{check} was not measured over the soak"
            yield checks.inconclusive(f"drift.{check}", why, severity=Severity.IMPORTANT)
            continue
        early = known[: max(1, len(known) // 5)]
        level = sum(early) / len(early)
        room = settings.error_rate if check == "error_rate" else settings.drift * level
        watched[name] = _Watched(
            f"drift.{check}", check, series, room, settings.drift_over, Severity.IMPORTANT, DRIFT, DRIFT_FAR
        )
    yield from _findings(watched, evidence)


def _findings(watched: dict[str, _Watched], evidence: Evidence) -> Iterator[Finding]:
    restarts = _restarts(evidence)
    requests = next((each for each in evidence.series if each.name == "soak.requests"), None)
    judged = {
        name: judge_growth(
            each.series.times,
            each.series.values,
            horizon=each.horizon,
            head_room=each.room,
            restarts=restarts,
            requests=_beside(each.series, requests),
        )
        for name, each in watched.items()
    }
    for name, growth in judge_together(judged).items():
        yield _finding(watched[name], _not_too_far(watched[name], growth, restarts))


def _not_too_far(watched: _Watched, growth: Growth, restarts: Iterable[float]) -> Growth:
    """The same, but a leak is one only where it was watched for long enough to foretell so much of it."""
    if growth.verdict is not Verdict.LEAK or not growth.low or growth.judged_from is None:
        return growth
    times = watched.series.times
    ends = min((at for at in restarts if at > growth.judged_from), default=times[-1])
    needed = watched.room / growth.low * HOUR / watched.far
    if ends - growth.judged_from >= needed:
        return growth
    why = (
        f"it grew by {_rate(watched, growth)}, but {format_quantity(ends - growth.judged_from, 's')} are too "
        f"few to tell that from a warm-up; if it goes on for {format_quantity(needed, 's')}, it is a leak"
    )
    return replace(growth, verdict=Verdict.UNDECIDED, why=why, exhausted_in=None)


def _restarts(evidence: Evidence) -> tuple[float, ...]:
    found = evidence.facts.get("restarts", {})
    return (*found.get("at", ()), *found.get("unwatched", ()))


def _beside(series: Series, requests: Series | None) -> tuple[float | None, ...] | None:
    """The requests at the times of the series; None where they were not counted there."""
    if requests is None:
        return None
    counted = dict(zip(requests.times, requests.values, strict=True))
    beside = tuple(counted.get(at) for at in series.times)
    return beside if any(value is not None for value in beside) else None


def _finding(watched: _Watched, growth: Growth) -> Finding:
    check, severity = watched.check, watched.severity
    if growth.verdict is Verdict.UNDECIDED:
        text = f"{watched.what}: {growth.why}{_visible(watched, growth)}"
        return checks.inconclusive(check, text, severity=severity, remedy=LONGER)
    if growth.verdict is Verdict.NO_LEAK:
        text = f"{watched.what}: no growth that matters{_visible(watched, growth)}; {_allowed(watched)}"
        return checks.holds(check, ok=True, message=text, severity=severity)
    return checks.holds(
        check,
        ok=False,
        message=f"{watched.what} grows by {_rate(watched, growth)}; {_allowed(watched)}{_until(growth)}",
        severity=severity,
        remedy=watched.remedy,
    )


def _rate(watched: _Watched, growth: Growth) -> str:
    def said(value: float | None) -> str:
        return format_quantity(value, watched.series.unit)

    told = f"{said(growth.per_hour)} an hour (95 % interval {said(growth.low)} to {said(growth.high)})"
    if growth.per_request is not None and growth.per_request > 0:
        told += f", {said(growth.per_request)} for each request"
    return told


def _visible(watched: _Watched, growth: Growth) -> str:
    if growth.smallest_visible is None:
        return ""
    least = format_quantity(growth.smallest_visible, watched.series.unit)
    return f"; {least} an hour would have been seen"


def _allowed(watched: _Watched) -> str:
    room, horizon = format_quantity(watched.room, watched.series.unit), format_quantity(watched.horizon, "s")
    return f"it may grow by {room} in {horizon}"


def _until(growth: Growth) -> str:
    if growth.exhausted_in is None:
        return ""
    return f", which is used up {format_quantity(growth.exhausted_in, 's')} after the end of this run"


def growth_of_memory(evidence: Evidence) -> Measurement | None:
    """How much more memory the target had after than before, in bytes; None where it was not seen, or is
    that of two processes.
    """
    if _restarts(evidence):
        return None
    before, after = evidence.find("memory.before"), evidence.find("memory.after")
    if before is None or after is None or before.value is None or after.value is None:
        return None
    grown = after.value - before.value
    return Measurement.exact("memory.growth", grown, unit="B", count=after.count)
