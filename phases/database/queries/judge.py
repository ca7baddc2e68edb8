"""The verdict on the user's own statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Severity
from phases.database.crosscheck import judge_counts
from phases.database.queries.settings import QuerySettings, planned_queries
from phases.database.running.judge import judge_limits
from phases.database.running.life import CONNECT
from phases.database.running.limits import Planned
from phases.database.scene import facts_of, trouble_of

READ_IT = "Read what the server says of it; run the statement by hand as the same user."


def judge_queries(evidence: Evidence, queries: Mapping[str, QuerySettings]) -> Iterator[Finding]:
    """One finding per limit, one on the index of each statement, and what the server counted."""
    facts, trouble = facts_of(evidence, "queries"), trouble_of(evidence, "queries")
    rows = {row["name"]: row for row in facts.get("patterns", ())}
    broken = {name: why for name, row in rows.items() if name in queries and (why := _broken(row, facts))}
    mistakes = facts.get("mistakes", {})
    for each in planned_queries(queries):
        if each.subject in mistakes and not trouble:
            yield _of_mistake(each, mistakes[each.subject])
        elif each.subject in broken and not trouble:
            yield _of_broken(each, broken[each.subject], row=rows[each.subject])
        elif _all_went_well(each, queries[each.subject], rows) and not trouble:
            yield _of_faultless(each, rows[each.subject])
        else:
            yield from judge_limits(evidence, [each], _sound(facts), trouble)
    for name, query in queries.items():
        if name in mistakes and not trouble:
            yield checks.not_applicable(f"queries.{name}.index", f"{name} {mistakes[name]['what']}")
        elif query.sql:
            yield _index(name, facts, trouble=trouble)
    if facts.get("server"):
        yield judge_counts("queries", facts["server"])


def _of_mistake(planned: Planned, mistake: Mapping[str, str]) -> Finding:
    """One failed finding for a statement that cannot go well; its other limits have nothing to judge."""
    name, what = planned.subject, mistake["what"]
    if planned.metric != "error_rate":
        return checks.not_applicable(planned.name, f"{name} {what}, so it was not run")
    message = f"{name} {what}: {mistake['said']} (it was tried once, and not run further)"
    return checks.holds(
        planned.name, False, message=message, severity=planned.graded.severity, remedy=READ_IT
    )


def _sound(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts without the doubt that our processor was fully used: users without pauses use it as far as
    they can, on SQLite all of it, and no time gets better by it.
    """
    health = facts.get("generator", {})
    lost = health.get("workers_lost") or health.get("exhausted") or health.get("delay")
    if facts.get("model") != "closed" or lost:
        return facts
    return {**facts, "generator": {**health, "saturation": ""}}


def _all_went_well(planned: Planned, query: QuerySettings, rows: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the shipped limit on failures has none to judge; few executions would else stay undecided."""
    row = rows.get(planned.subject, {})
    own = query.limits.error_rate is not None
    return planned.metric == "error_rate" and not own and row.get("count", 0) > 0 and not row["failed"]


def _of_faultless(planned: Planned, row: Mapping[str, Any]) -> Finding:
    message = f"{planned.subject}: all {row['count']:,} executions went well"
    return checks.holds(planned.name, True, message=message, severity=planned.graded.severity)


def _broken(row: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """What the server said where the statement failed every time; "" where it went well at least once."""
    never = not any(each["count"] for each in facts["patterns"])
    own = {row["name"], CONNECT} if never else {row["name"]}
    groups = [each for each in facts["errors"] if each["operation"] in own]
    if not groups or row["failed"] < row["count"]:
        return ""
    worst = max(groups, key=lambda group: group["count"])
    said = next((sample["answer"] for sample in worst["samples"] if sample["answer"] != "none"), "")
    return str(said or worst["detail"])


def _of_broken(planned: Planned, why: str, *, row: Mapping[str, Any]) -> Finding:
    """A statement that never goes well has failed, and its times are those of failures, if of anything."""
    graded, name = planned.graded, planned.subject
    if planned.metric == "error_rate":
        count = row["failed"]
        how = f"failed every time ({count:,} of {count:,})" if count else "was never run"
        message = f"{name} {how}: {why}"
        return checks.holds(planned.name, False, message=message, severity=graded.severity, remedy=READ_IT)
    if row["timeouts"] and row["timeouts"] == row["failed"]:
        message = f"{name} never answered: {row['timeouts']:,} of {row['failed']:,} ran into the timeout"
        return checks.holds(planned.name, False, message=message, severity=graded.severity, remedy=READ_IT)
    return checks.not_applicable(planned.name, f"{name} failed every time, which its error rate tells")


def _index(name: str, facts: Mapping[str, Any], *, trouble: str) -> Finding:
    """Whether an index is missing, by the statement's plan."""
    check, severity = f"queries.{name}.index", Severity.IMPORTANT
    plan = facts.get("plans", {}).get(name)
    why = trouble or ("its plan was not asked for" if plan is None else plan.get("why", ""))
    if plan is None or why:
        return checks.inconclusive(
            check, f"whether {name} lacks an index is not known: {why}", severity=severity
        )
    if plan["missing"]:
        missing = plan["missing"]
        columns = ", ".join(missing["columns"])
        return checks.holds(
            check, False, message=f"{name}: {missing['text']}", severity=severity,
            remedy=f"Make an index on {missing['table']} ({columns}), then run it again.",
        )  # fmt: skip
    how = "read" if plan["counted"] else "to read, by the server's estimate"
    return checks.holds(
        check, True, message=f"{name}: no index is missing, {plan['read']:,} rows {how}", severity=severity
    )
