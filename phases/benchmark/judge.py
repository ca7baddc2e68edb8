"""The benchmark phase's verdict: each entry against its limit, an earlier run and a second target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Limit, Outcome, Severity
from campaign.units import format_quantity
from phases.benchmark.comparison import GIVE_UP, broken
from phases.benchmark.rivals import EARLIER, MORE, SECOND
from phases.benchmark.settings import DEFAULT_CACHE, BenchmarkSettings, Entry
from phases.benchmark.timed import COMMAND, OPERATION, STATEMENT, Timed, from_plain

SLOW = "Profile this one alone: its queries, what it calls, what it serializes."
FAILING = "See why it fails; times of failures are no benchmark."
ASK_LESS = "Let more `users` take turns, or rest (`pause`) between rounds, or lift the target's limit."
NOTHING = "See why the phase ended before it measured anything: its reason, and events.jsonl."
TOO_MANY = "status 429"
"""How the answer "too many requests" is told of; no other failure begins like this."""

Planned = dict[tuple[str, str], Entry]


def judge_benchmarks(evidence: Evidence, settings: BenchmarkSettings) -> Iterator[Finding]:
    """One finding per entry and per comparison, also for entries that were never reached."""
    seen = {_key(each): each for each in evidence.facts.get("entries", ())}
    planned = _planned(settings, evidence)
    if not planned:
        yield _nothing(evidence, settings)
    for (kind, name), entry in planned.items():
        told = seen.get((kind, name))
        if told is None:
            why = f"{_title(kind, name)} was not measured: it was never reached"
            yield _undecided(f"{kind}.{name}.{entry.metric}", why, entry)
        else:
            yield from _judged(told, entry, evidence, settings)
    yield from _tidy(evidence)


def _nothing(evidence: Evidence, settings: BenchmarkSettings) -> Finding:
    """Without entries: there are none, or the phase did not come so far as to say what it would measure."""
    told, asked = "planned" in evidence.facts, (settings.operations, settings.cache)
    if told or all(each is not None for each in asked):
        return checks.not_applicable("entries", "there is nothing to measure")
    return checks.inconclusive("entries", "nothing was measured: it was never reached", remedy=NOTHING)


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


def _planned(settings: BenchmarkSettings, evidence: Evidence) -> Planned:
    """All entries with what is asked of them: those of the file, and those that came by default."""
    named: Planned = {(OPERATION, name): entry for name, entry in (settings.operations or {}).items()}
    named |= {(STATEMENT, name): entry for name, entry in settings.statements.items()}
    named |= {(COMMAND, name): entry for name, entry in (settings.cache or {}).items()}
    defaults = {(COMMAND, name): entry for name, entry in DEFAULT_CACHE.items()}
    entries = [_key(each) for each in evidence.facts.get("entries", ())]
    came = [*((kind, name) for kind, name in evidence.facts.get("planned", ())), *entries]
    return {**named, **{key: defaults.get(key, Entry()) for key in came if key not in named}}


def _judged(
    told: Mapping[str, Any], entry: Entry, evidence: Evidence, settings: BenchmarkSettings
) -> Iterator[Finding]:
    check = f"{told['kind']}.{told['name']}"
    generator = evidence.facts.get("generator", {}) if told["kind"] == OPERATION else {}
    alone = _Alone(f"{check}.{entry.metric}", from_plain(told["target"]), entry, _title(*_key(told)))
    yield alone.finding(evidence, generator, wanted=settings.iterations)
    rivals = [SECOND] if settings.against and told["kind"] == OPERATION else []
    rivals += [EARLIER] if "baseline" in told else []
    doubt, title = _ours(generator, "saturation"), f"{_title(told['kind'], told['name'])}, {told['metric']}"
    for rival in rivals:
        if broken(from_plain(told["target"])):
            yield rival.not_compared(check, title, "too many of its iterations failed", entry=entry)
        else:
            yield rival.judge(check, title, told, entry=entry, threshold=settings.regression, doubt=doubt)


@dataclass(frozen=True, slots=True)
class _Alone:
    """An entry held against its limit."""

    check: str
    timed: Timed
    entry: Entry
    title: str

    def finding(self, evidence: Evidence, generator: Mapping[str, Any], *, wanted: int) -> Finding:
        """The finding; `wanted` is how many iterations were planned."""
        timed, entry = self.timed, self.entry
        if timed.trouble:
            return _undecided(self.check, f"{self.title} was not measured: {timed.trouble}", entry)
        if broken(timed):
            return self._failing(wanted)
        measured, limit = evidence.find(self.check), entry.bound
        cut = f" (of {wanted:,} planned: its time was over)" if timed.asked < wanted else ""
        subject = f"{self.title}, {entry.metric} of {timed.histogram.count:,}{cut}"
        if limit is None:
            value = None if measured is None else measured.value
            said = f"{subject}: {format_quantity(value, 's')}{self._failures()}"
            return checks.informational(self.check, said, measured=measured)
        doubt = _ours(generator, "saturation") or self._gap(wanted)
        found = checks.within(
            self.check, measured, limit=limit, subject=subject, severity=entry.severity, remedy=SLOW,
            doubt=doubt,
        )  # fmt: skip
        if found.outcome is Outcome.INCONCLUSIVE and not doubt:
            found = self._with_more(found)
        found = checks.excused(found, _ours(generator, "delay"))
        return weighed(replace(found, message=f"{found.message}{self._failures()}"), limit)

    def _failures(self) -> str:
        """The end of a message that tells of failures, which are too few to decide."""
        timed = self.timed
        return f"; {timed.failed:,} of {timed.asked:,} failed: {_most(timed)[0]}" if timed.failed else ""

    def _gap(self, wanted: int) -> str:
        """Why a good figure proves nothing of an entry that came to no regular end."""
        timed, limit = self.timed, self.entry.bound
        if timed.asked >= wanted or limit is None:
            return ""
        if timed.failed:
            return f"it was cut short after {timed.asked:,} of {wanted:,} iterations, some of which failed"
        if timed.unfinished and timed.longest > limit.acceptable:
            return f"it was cut short after {timed.asked:,} of {wanted:,} iterations, as one had no answer"
        return ""

    def _with_more(self, found: Finding) -> Finding:
        """An undecided finding that says what would decide it."""
        metric, fewest, count = self.entry.metric, self.entry.fewest, self.timed.histogram.count
        if count >= fewest:
            return replace(found, remedy=MORE)
        needs = f"a {metric} needs {fewest} iterations or more"
        return replace(found, message=f"{found.message}; {needs}", remedy=f"{needs.capitalize()}.")

    def _failing(self, wanted: int) -> Finding:
        """What fails too often has no time; one that says "too many requests" was asked too fast."""
        timed, entry = self.timed, self.entry
        said = _sentence(self.title, timed, wanted=wanted)
        limited = all(detail.startswith(TOO_MANY) for detail in timed.errors)
        if limited and self.check.startswith(OPERATION):
            return _undecided(self.check, f"{said}; it limits how often it is asked", entry, remedy=ASK_LESS)
        return checks.holds(self.check, ok=False, message=said, severity=entry.severity, remedy=FAILING)


def _sentence(title: str, timed: Timed, *, wanted: int) -> str:
    """How an entry failed."""
    most, count = _most(timed)
    if timed.failed == timed.asked:
        said = f"{title} failed every time, {timed.failed:,} of {timed.asked:,}"
    else:
        said = f"{title} failed {timed.failed:,} of {timed.asked:,} times"
    if timed.in_vain >= GIVE_UP and timed.failed < timed.asked:
        said = f"{said}, the last {timed.in_vain:,} of them on end"
        said = f"{said} ({wanted:,} were planned)" if timed.asked < wanted else said
    return f"{said}, {count:,} times with: {most}" if count < timed.failed else f"{said}: {most}"


def _most(timed: Timed) -> tuple[str, int]:
    """The most frequent failure, and how often it was."""
    return max(timed.errors.items(), key=lambda each: each[1])


def _undecided(check: str, why: str, entry: Entry, *, remedy: str = "") -> Finding:
    """An entry without a limit was only to be looked at, so less is missed."""
    limit = entry.bound
    if limit is None:
        return checks.inconclusive(check, why, severity=Severity.MINOR, remedy=remedy)
    found = checks.inconclusive(check, why, severity=entry.severity, limit=limit, remedy=remedy)
    return weighed(found, limit)


def weighed(finding: Finding, limit: Limit) -> Finding:
    """The finding, which stops the gate where a critical limit is undecided and nothing speaks for it: it was
    not observed at all, or its figure lies beyond the limit. The rest must not outvote it.
    """
    if finding.outcome is not Outcome.INCONCLUSIVE or finding.severity is not Severity.CRITICAL:
        return finding
    value = None if finding.measured is None else finding.measured.value
    if value is not None and limit.goodness(value) >= limit.goodness(limit.acceptable):
        return finding
    return replace(finding, severity=Severity.BLOCKER, weight=checks.WEIGHTS[Severity.BLOCKER])


def _key(told: Mapping[str, Any]) -> tuple[str, str]:
    return told["kind"], told["name"]


def _title(kind: str, name: str) -> str:
    return {OPERATION: name, STATEMENT: f"statement {name}", COMMAND: f"cache {name}"}[kind]


def _ours(generator: Mapping[str, Any], what: str) -> str:
    why = generator.get(what, "")
    return f"our own generator was not in time: {why}" if why else ""
