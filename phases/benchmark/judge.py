"""The benchmark phase's verdict: each entry against its limit, an earlier run and a second target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Limit, Severity
from campaign.stats.compare import Difference
from campaign.units import format_quantity
from phases.benchmark.comparison import comparison_of, too_many_failed
from phases.benchmark.settings import DEFAULT_CACHE, BenchmarkSettings, Entry
from phases.benchmark.timed import COMMAND, OPERATION, STATEMENT, Timed, from_plain

SLOW = "Profile this one alone: its queries, what it calls, what it serializes."
FAILING = "See why it fails; times of failures are no benchmark."
COMPARE = "See what changed between the two: a query, an index, a library, a setting."
AGAIN = "Run both again on a quiet machine, or in turn in one run with --against."
MORE = "More iterations settle it."
TOO_MANY = "429"

Planned = dict[tuple[str, str], Entry]


def judge_benchmarks(evidence: Evidence, settings: BenchmarkSettings) -> Iterator[Finding]:
    """One finding per entry and per comparison, also for entries that were never reached."""
    seen = {(each["kind"], each["name"]): each for each in evidence.facts.get("entries", ())}
    planned = _planned(settings, seen)
    if not planned:
        yield checks.not_applicable("entries", "there is nothing to measure")
    for (kind, name), entry in planned.items():
        told = seen.get((kind, name))
        if told is None:
            why = f"{_title(kind, name)} was not measured: it was never reached"
            yield _undecided(f"{kind}.{name}.{entry.metric}", why, entry)
        else:
            yield from _judged(told, entry, evidence, settings)


def _planned(settings: BenchmarkSettings, seen: Mapping[tuple[str, str], Any]) -> Planned:
    """All entries with what is asked of them: those of the file, and those that came by default."""
    named: Planned = {(OPERATION, name): entry for name, entry in (settings.operations or {}).items()}
    named |= {(STATEMENT, name): entry for name, entry in settings.statements.items()}
    named |= {(COMMAND, name): entry for name, entry in (settings.cache or {}).items()}
    defaults = {(COMMAND, name): entry for name, entry in DEFAULT_CACHE.items()}
    return {**named, **{key: defaults.get(key, Entry()) for key in seen if key not in named}}


def _judged(
    told: Mapping[str, Any], entry: Entry, evidence: Evidence, settings: BenchmarkSettings
) -> Iterator[Finding]:
    check, timed = f"{told['kind']}.{told['name']}", from_plain(told["target"])
    generator = evidence.facts.get("generator", {}) if told["kind"] == OPERATION else {}
    yield _alone(f"{check}.{entry.metric}", told, entry, evidence=evidence, generator=generator)
    if settings.against and told["kind"] == OPERATION:
        unit, severity = "x the second target's", entry.severity
        yield _against(f"{check}.against", told, "against", timed=timed, unit=unit, severity=severity,
                       settings=settings, remedy=COMPARE, doubt=_ours(generator, "saturation"))  # fmt: skip
    if "baseline" in told:
        unit, severity = "x the earlier run's", _less(entry.severity)
        yield _against(f"{check}.baseline", told, "baseline", timed=timed, unit=unit, severity=severity,
                       settings=settings, remedy=AGAIN, doubt=_ours(generator, "saturation"))  # fmt: skip


def _alone(
    check: str, told: Mapping[str, Any], entry: Entry, *, evidence: Evidence, generator: Mapping[str, Any]
) -> Finding:
    """An entry against its limit."""
    timed, title = from_plain(told["target"]), _title(told["kind"], told["name"])
    if timed.trouble:
        return _undecided(check, f"{title} was not measured: {timed.trouble}", entry)
    if too_many_failed(timed):
        return _failing(check, title, timed, entry)
    measured, limit = evidence.find(check), entry.bound
    subject = f"{title}, {entry.metric} of {timed.histogram.count:,}"
    if limit is None:
        value = None if measured is None else measured.value
        return checks.informational(check, f"{subject}: {format_quantity(value, 's')}", measured=measured)
    doubt = _ours(generator, "saturation")
    found = checks.within(
        check, measured, limit=limit, subject=subject, severity=entry.severity, remedy=SLOW, doubt=doubt
    )
    return checks.excused(found, _ours(generator, "delay"))


def _failing(check: str, title: str, timed: Timed, entry: Entry) -> Finding:
    """What fails too often has no time; a target that says "too many requests" was only asked too fast."""
    most, count = max(timed.errors.items(), key=lambda each: each[1])
    said = f"{title} failed {timed.failed:,} of {timed.asked:,} times, {count:,} times with: {most}"
    if all(TOO_MANY in detail for detail in timed.errors):
        why = f"{said}; it limits how often it is asked"
        return checks.inconclusive(check, why, severity=entry.severity, limit=entry.bound,
                                   remedy="Lift the limit for this account, or ask less often.")  # fmt: skip
    return checks.holds(check, ok=False, message=said, severity=entry.severity, remedy=FAILING)


def _against(
    check: str, told: Mapping[str, Any], key: str, *, timed: Timed, unit: str, severity: Severity,
    settings: BenchmarkSettings, remedy: str, doubt: str,
) -> Finding:  # fmt: skip
    """An entry against the same one elsewhere."""
    title = f"{_title(told['kind'], told['name'])}, {told['metric']}"
    data = told.get(key) or {"why": "it was never reached"}
    found = comparison_of(data)
    if found is None or too_many_failed(timed):
        why = f"{title} was not compared: {data['why'] or 'too many of its iterations failed'}"
        if key == "baseline":
            return checks.not_applicable(check, why)
        return checks.inconclusive(check, why, severity=severity)
    most = 1 + settings.regression
    difference, limit = found.difference(settings.regression), Limit(most, most, unit)
    message = _sentence(title, data, difference=difference, limit=limit)
    if difference is Difference.SLOWER:
        return checks.holds(check, ok=False, message=message, severity=severity, remedy=remedy)
    if difference is Difference.UNCLEAR:
        return checks.inconclusive(check, message, severity=severity, limit=limit, remedy=MORE)
    if doubt:
        return checks.inconclusive(check, f"{message}, but {doubt}", severity=severity, limit=limit)
    return checks.holds(check, ok=True, message=message, severity=severity)


def _sentence(title: str, data: Mapping[str, Any], *, difference: Difference, limit: Limit) -> str:
    ends = f"95 % interval {data['low']:.2f} to {data['high']:.2f}"
    ratio = f"{data['ratio']:.2f} {limit.unit} ({ends}; {checks.describe(limit)})"
    return f"{title} was {ratio}: {difference.value}"


def _undecided(check: str, why: str, entry: Entry) -> Finding:
    """An entry without a limit was only to be looked at, so less is missed."""
    severity = entry.severity if entry.bound else Severity.MINOR
    return checks.inconclusive(check, why, severity=severity, limit=entry.bound)


def _less(severity: Severity) -> Severity:
    """Two runs differ by more than the target: what they show alone is no reason to stop a release."""
    return Severity.IMPORTANT if severity is Severity.CRITICAL else severity


def _title(kind: str, name: str) -> str:
    return {OPERATION: name, STATEMENT: f"statement {name}", COMMAND: f"cache {name}"}[kind]


def _ours(generator: Mapping[str, Any], what: str) -> str:
    why = generator.get(what, "")
    return f"our own generator was not in time: {why}" if why else ""
