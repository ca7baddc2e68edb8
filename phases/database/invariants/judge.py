"""Whether the invariants held, by what was recorded. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.database.invariants.promises import TITLES, Anomaly, promised, required
from phases.database.scene import facts_of, trouble_of

LEAST_KILLED = 3
"""Clients that must have been killed in the middle of a transaction: one may have been lucky."""

Fact = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedCheck:
    """One check: what it is called, what must hold, what was done (a sentence from its fact), why it was not
    exercised ("" where it was), and what to do where it failed.
    """

    title: str
    good: str
    done: Callable[[Fact], str]
    unexercised: Callable[[Fact], str]
    remedy: str


def _transfers(fact: Fact) -> str:
    seen = f"{_n(fact, 'reads')} reads of the whole" if fact.get("reads") else "read at the end only"
    return f"{_n(fact, 'commits')} transfers between {_n(fact, 'accounts')} accounts, {seen}"


def _no_transfers(fact: Fact) -> str:
    return "" if fact.get("commits") else "no transfer was committed"


def _history(fact: Fact) -> str:
    return (
        f"{_n(fact, 'transactions')} transactions with {_n(fact, 'appends')} appends and "
        f"{_n(fact, 'reads')} reads, {_n(fact, 'undone')} undone on purpose"
    )


def _no_history(fact: Fact) -> str:
    return "" if fact.get("commits", 0) > 1 and fact.get("reads") else "no transactions were committed"


def _ended(fact: Fact) -> str:
    told = f"{_n(fact, 'middle')} sessions were ended in the middle of a transaction"
    if fact.get("racing"):
        told += f", {_n(fact, 'racing')} as they committed"
    return f"{told}, {_n(fact, 'commits')} transactions committed"


def _killed(fact: Fact) -> str:
    return (
        f"{_n(fact, 'middle')} client processes were killed in the middle of a transaction, after "
        f"{_n(fact, 'commits')} confirmed ones"
    )


def _none_ended(fact: Fact) -> str:
    return "" if fact.get("middle") else "no transaction was ended in its middle"


def _few_killed(fact: Fact) -> str:
    killed = int(fact.get("middle", 0))
    if killed >= LEAST_KILLED:
        return ""
    some = f"only {killed:,} were" if killed else "none was"
    return f"{some} killed in the middle of a transaction, and fewer than {LEAST_KILLED} prove little"


def _foreign(fact: Fact) -> str:
    return (
        f"{_n(fact, 'stored')} children stored and {_n(fact, 'removed')} parents deleted at the same moment, "
        f"{_n(fact, 'refused')} refused"
    )


def _constrained(fact: Fact) -> str:
    return f"{_n(fact, 'commits')} transactions committed, {_n(fact, 'refused')} refused"


def _uncontested(fact: Fact) -> str:
    if not fact.get("commits"):
        return "no transaction was committed"
    return "" if fact.get("refused") else "the constraint was never in anybody's way"


def _unmet(fact: Fact) -> str:
    contested = fact.get("refused", 0) + fact.get("retried", 0)
    return "" if fact.get("commits") and contested else "the two sides never met"


CHECKS: Mapping[str, PlannedCheck] = {
    "transfers": PlannedCheck(
        "bank transfers",
        "every total was right, no balance below 0, no row lost",
        _transfers,
        _no_transfers,
        "Correct transactions lost money at this level: look for a proxy, a replica or a setting that "
        "weakens locks or snapshots.",
    ),
    "history": PlannedCheck(
        "list-append history",
        "nothing that the level forbids",
        _history,
        _no_history,
        "Use the level that the service needs (serializable with retries, or locks where it reads), and look "
        "for reads that go to a replica.",
    ),
    "ended_session": PlannedCheck(
        "sessions ended by the server",
        "each left all of its rows or none",
        _ended,
        _none_ended,
        "A storage engine without transactions, or autocommit in between, keeps half of a transaction: "
        "InnoDB, and one transaction for what belongs together.",
    ),
    "killed_client": PlannedCheck(
        "clients killed",
        "what was confirmed is there, nothing else is",
        _killed,
        _few_killed,
        "A storage engine without transactions, or autocommit in between, keeps half of a transaction: "
        "InnoDB, and one transaction for what belongs together.",
    ),
    "foreign_key": PlannedCheck(
        "race on a foreign key",
        "no child without its parent",
        _foreign,
        _unmet,
        "Foreign keys are not enforced: foreign_key_checks (MariaDB, MySQL), PRAGMA foreign_keys (SQLite), "
        "or a storage engine without them.",
    ),
    "unique_key": PlannedCheck(
        "race on a unique key",
        "each key was confirmed to one only, and is there once",
        _constrained,
        _unmet,
        "Unique keys are not enforced under concurrency: see unique_checks and the storage engine.",
    ),
    "check_constraint": PlannedCheck(
        "check constraint under updates",
        "no stock below 0, no change lost",
        _constrained,
        _uncontested,
        "CHECK constraints are not enforced: MySQL before 8.0.16 ignores them, MariaDB with "
        "check_constraint_checks=OFF.",
    ),
}
"""Every check in the order in which they run."""


def judge_invariants(evidence: Evidence, require: tuple[str, ...]) -> Iterator[Finding]:
    """One finding per check; `require` is what transactions rely on beyond the level, in words."""
    facts = facts_of(evidence, "invariants")
    for name, planned in CHECKS.items():
        check = f"invariants.{name}"
        fact = facts.get("checks", {}).get(name)
        if fact is None:
            why = (
                facts.get("troubles", {}).get(name)
                or trouble_of(evidence, "invariants")
                or "it was not reached"
            )
            yield _undecided(check, f"{planned.title}: {why}")
        elif name == "history":
            yield _of_history(check, planned, fact, facts=facts, require=require)
        else:
            yield _judged(check, planned, fact, facts=facts, wrong=dict(fact.get("violations", {})))


def _judged(
    check: str, planned: PlannedCheck, fact: Fact, *, facts: Fact, wrong: dict[str, int], allowed: str = ""
) -> Finding:
    done = f"{planned.done(fact)}{_troubles(fact)} at {facts.get('level', 'an unknown level')}"
    if wrong:
        told = ", ".join(f"{what}: {times:,}" for what, times in wrong.items())
        example = _example(fact)
        return _held(check, False, message=f"{told} ({done}){example}", remedy=planned.remedy)
    if why := planned.unexercised(fact):
        return _undecided(check, f"{planned.title}: {why} ({done})")
    return _held(check, True, message=f"{planned.good}: {done}{allowed}")


def _held(check: str, ok: bool, *, message: str, remedy: str = "") -> Finding:  # noqa: FBT001 - the fact itself
    return checks.holds(check, ok, message=message, severity=Severity.BLOCKER, remedy=remedy)


def _undecided(check: str, why: str) -> Finding:
    return checks.inconclusive(check, why, severity=Severity.BLOCKER)


def _of_history(
    check: str, planned: PlannedCheck, fact: Fact, *, facts: Fact, require: tuple[str, ...]
) -> Finding:
    product, level = str(facts.get("product", "")), str(facts.get("level", ""))
    banned = promised(product, level, snapshot=bool(fact.get("snapshot"))) | required(require)
    found = {Anomaly(kind): int(times) for kind, times in fact.get("anomalies", {}).items()}
    wrong = {TITLES[kind]: times for kind, times in found.items() if kind in banned}
    rest = [f"{kind.value} {times:,} times" for kind, times in found.items() if kind not in banned]
    allowed = f"; allowed at this level, and seen: {', '.join(rest)}" if rest else ""
    shown = {**fact, "examples": _cases(fact, banned)}
    return _judged(check, planned, shown, facts=facts, wrong=wrong, allowed=allowed)


def _cases(fact: Fact, banned: frozenset[Anomaly]) -> list[str]:
    return [each["text"] for each in fact.get("cases", ()) if Anomaly(each["kind"]) in banned]


def _example(fact: Fact) -> str:
    examples = fact.get("examples", ())
    return f"; {examples[0]}" if examples else ""


def _troubles(fact: Fact) -> str:
    """What went another way than planned."""
    told = f", {_n(fact, 'unknown')} of unknown end" if fact.get("unknown") else ""
    told += f", {_n(fact, 'retried')} tried again" if fact.get("retried") else ""
    failures = fact.get("failures", {})
    if failures:
        text, times = next(iter(failures.items()))
        told += f", {sum(failures.values()):,} failed otherwise ({text}: {times:,})"
    return told


def _n(fact: Fact, name: str) -> str:
    return f"{int(fact.get(name, 0)):,}"
