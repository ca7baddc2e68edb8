"""The benchmark phase's verdict: each entry against its limit, an earlier run and a second target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Outcome, Severity
from campaign.units import format_quantity
from phases.benchmark.comparison import too_many_failed
from phases.benchmark.rivals import EARLIER, MORE, SECOND
from phases.benchmark.settings import DEFAULT_CACHE, BenchmarkSettings, Entry
from phases.benchmark.timed import COMMAND, OPERATION, STATEMENT, Timed, from_plain

SLOW = "Profile this one alone: its queries, what it calls, what it serializes."
FAILING = "See why it fails; times of failures are no benchmark."
ASK_LESS = "Let more `users` take turns, or rest (`pause`) between rounds, or lift the target's limit."
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
    yield from _tidy(evidence)


def _tidy(evidence: Evidence) -> Iterator[Finding]:
    """Whether what operations made was deleted again, where any has an `undo`."""
    told = evidence.facts.get("made")
    if told:
        left = told["made"] - told["deleted"]
        said = f"{told['made']:,} things were made and {told['deleted']:,} deleted again"
        message = f"{said}: {f'{left:,} left on the target' if left else 'none is left'}"
        yield checks.holds(
            "tidy", left == 0, message=message, severity=Severity.IMPORTANT,
            remedy="See why the `undo` operation failed, and delete them by hand.",
        )  # fmt: skip


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
    check = f"{told['kind']}.{told['name']}"
    generator = evidence.facts.get("generator", {}) if told["kind"] == OPERATION else {}
    yield _alone(f"{check}.{entry.metric}", told, entry, evidence=evidence, generator=generator)
    rivals = [SECOND] if settings.against and told["kind"] == OPERATION else []
    rivals += [EARLIER] if "baseline" in told else []
    doubt, title = _ours(generator, "saturation"), f"{_title(told['kind'], told['name'])}, {told['metric']}"
    for rival in rivals:
        if too_many_failed(from_plain(told["target"])):
            yield rival.not_compared(check, title, "too many of its iterations failed", entry=entry)
        else:
            yield rival.judge(check, title, told, entry=entry, threshold=settings.regression, doubt=doubt)


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
    if found.outcome is Outcome.INCONCLUSIVE and not doubt:
        found = replace(found, remedy=MORE)
    return checks.excused(found, _ours(generator, "delay"))


def _failing(check: str, title: str, timed: Timed, entry: Entry) -> Finding:
    """What fails too often has no time; a target that says "too many requests" was only asked too fast."""
    most, count = max(timed.errors.items(), key=lambda each: each[1])
    said = f"{title} failed {timed.failed:,} of {timed.asked:,} times, {count:,} times with: {most}"
    if all(TOO_MANY in detail for detail in timed.errors):
        why = f"{said}; it limits how often it is asked"
        return checks.inconclusive(check, why, severity=entry.severity, limit=entry.bound, remedy=ASK_LESS)
    return checks.holds(check, ok=False, message=said, severity=entry.severity, remedy=FAILING)


def _undecided(check: str, why: str, entry: Entry) -> Finding:
    """An entry without a limit was only to be looked at, so less is missed."""
    severity = entry.severity if entry.bound else Severity.MINOR
    return checks.inconclusive(check, why, severity=severity, limit=entry.bound)


def _title(kind: str, name: str) -> str:
    return {OPERATION: name, STATEMENT: f"statement {name}", COMMAND: f"cache {name}"}[kind]


def _ours(generator: Mapping[str, Any], what: str) -> str:
    why = generator.get(what, "")
    return f"our own generator was not in time: {why}" if why else ""
