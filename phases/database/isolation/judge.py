"""The verdict on isolation: what the service relies on, and whether the database keeps to its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.database.isolation.anomalies import FORBIDDEN, TITLES, WORDS, Anomaly
from phases.database.isolation.settings import IsolationSettings
from phases.database.isolation.verdicts import Result
from phases.database.scene import facts_of, trouble_of

CONDITIONS = ("idle", "under load")
PART = "isolation"


def judge_isolation(evidence: Evidence, settings: IsolationSettings) -> Iterator[Finding]:
    """One finding per requirement, and one per level against the published table."""
    facts, trouble = facts_of(evidence, PART), trouble_of(evidence, PART)
    for requirement in settings.require:
        yield _requirement(requirement, facts, trouble=trouble, settings=settings)
    levels = facts.get("levels") or {}
    for name in levels:
        yield _against_table(name, facts)
    if not levels:
        yield checks.inconclusive(f"{PART}.table", f"no isolation level was looked at: {trouble}")
    elif not settings.require:
        yield _what_may_happen(facts)


def _requirement(
    requirement: str, facts: Mapping[str, Any], *, trouble: str, settings: IsolationSettings
) -> Finding:
    check = f"{PART}.require.{requirement.replace(' ', '_')}"
    level = facts.get("service_level", "")
    found = (facts.get("levels") or {}).get(level)
    if not found:
        why = trouble or f"the level {level!r} was not looked at"
        return checks.inconclusive(
            check, f"'{requirement}' was not looked at: {why}", severity=Severity.BLOCKER
        )
    forbidden = sorted(FORBIDDEN[requirement])
    if happened := _with(found, forbidden, Result.HAPPENED, settings=settings):
        return checks.holds(
            check, False, severity=Severity.BLOCKER,
            message=f"'{requirement}' is required, and at {level} happened: {'; '.join(happened)}",
            remedy=_remedy(forbidden, level),
        )  # fmt: skip
    if unknown := _with(found, forbidden, Result.NOT_EXERCISED, settings=settings):
        return checks.inconclusive(
            check, f"'{requirement}' is required, and at {level} not exercised: {'; '.join(unknown)}",
            severity=Severity.BLOCKER,
        )  # fmt: skip
    under = " and ".join(each for each in CONDITIONS if each in found)
    return checks.holds(
        check, True, severity=Severity.BLOCKER,
        message=f"'{requirement}' is required; at {level} none of {', '.join(forbidden)} happened, {under}",
    )  # fmt: skip


def _with(
    found: Mapping[str, Any], anomalies: list[Anomaly], result: Result, *, settings: IsolationSettings
) -> list[str]:
    """Those of the anomalies that came to `result`, in words; a condition that was planned and is missing
    exercised none.
    """
    planned = CONDITIONS if settings.load else CONDITIONS[:1]
    said = []
    for anomaly in anomalies:
        for condition in planned:
            seen = (found.get(condition) or {}).get(anomaly) or {
                "result": Result.NOT_EXERCISED,
                "how": "not run",
            }
            if seen["result"] == result:
                said.append(f"{anomaly} ({TITLES[Anomaly(anomaly)]}), {condition}: {seen['how']}")
    return said


def _remedy(forbidden: list[Anomaly], level: str) -> str:
    worst = WORDS[Anomaly(forbidden[-1])]
    return (
        f"At {level}, for example, {worst}. Use a higher level and try again what it aborts, lock what is "
        "read (SELECT ... FOR UPDATE), or change rows only as they were read (a version column)."
    )


def _against_table(name: str, facts: Mapping[str, Any]) -> Finding:
    check = f"{PART}.table.{name.replace(' ', '_')}"
    published, found = facts.get("published") or {}, facts["levels"][name]
    prevented = (published.get("prevented") or {}).get(name)
    if prevented is None:
        return checks.informational(check, f"{name}: nobody has published what {facts['server']} prevents")
    broken = [
        f"{anomaly}, {condition}: {seen['how']}"
        for condition in CONDITIONS
        for anomaly, seen in (found.get(condition) or {}).items()
        if seen["result"] == Result.HAPPENED and anomaly in prevented
    ]
    if broken and not published.get("covers", True):
        return checks.inconclusive(
            check, f"{name} allows what {published['product']} {published['versions']} prevents "
            f"({broken[0]}); for {facts['server']} no table is known", severity=Severity.IMPORTANT,
        )  # fmt: skip
    if broken:
        return checks.holds(
            check, False, message=f"{name} allows what {published['product']} should prevent: {broken[0]}",
            remedy="See whether a proxy or a setting changes the level, and whether the engine is InnoDB.",
        )  # fmt: skip
    return _kept(check, name, prevented, facts=facts)


def _kept(check: str, name: str, prevented: list[str], *, facts: Mapping[str, Any]) -> Finding:
    found, published = facts["levels"][name], facts["published"]
    missed = [
        f"{each} ({condition})"
        for condition in CONDITIONS
        for each in prevented
        if condition in found and found[condition].get(each, {}).get("result") != Result.PREVENTED
    ]
    source = f"{published['product']} {published['versions']}: {published['source']}"
    source += "" if published.get("covers", True) else f"; the nearest to {facts['server']}"
    if missed:
        return checks.inconclusive(
            check, f"{name}: {', '.join(missed)} was not exercised, so the table ({source}) is not confirmed",
            severity=Severity.IMPORTANT,
        )  # fmt: skip
    what = ", ".join(prevented)
    return checks.holds(check, True, message=f"{name} prevents {what}, as published ({source})")


def _what_may_happen(facts: Mapping[str, Any]) -> Finding:
    """No requirement was declared: say what may happen at the level that the service uses."""
    level = facts["service_level"]
    check = f"{PART}.service_level"
    if not (found := facts["levels"].get(level)):
        return checks.informational(check, f"{level}, which a session gets without asking, was not looked at")
    happened = [
        f"{anomaly} ({TITLES[Anomaly(anomaly)]})"
        for anomaly, seen in (found.get("idle") or {}).items()
        if seen["result"] == Result.HAPPENED
    ]
    said = f"may happen: {', '.join(happened)}" if happened else "none of the ten happened"
    gets = (
        "a session gets without asking" if facts.get("level_known", True) else "a Python service gets unasked"
    )
    return checks.informational(
        check, f"at {level}, which {gets}, {said}; say what the service relies on, "
        "and at which level: `isolation: {require: no lost update, level: serializable}`",
    )  # fmt: skip
