"""From what was seen of the service's connections to findings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding
from campaign.units import format_quantity
from phases.database.service.settings import CROWD_P95, Connections, Crowd, Leak, Waiting
from phases.database.service.slow import is_slow

CROWD = "service.connections.crowd"
POOL = "service.connections.pool"
LEAK = "service.connections.leak"
WORST_CROWD = 0.01
"""The share of a crowd's requests that may fail."""

LARGER = "See whether requests wait for a connection: a larger pool, or shorter work with each."
LARGER_POOL = (
    "Give the pool as many connections as requests may be in the database at once, and a short wait for one, "
    "so that a shortage is an error at once and no queue."
)
GIVE_BACK = "Take connections in a with block, so that they are given back on every way out, also of errors."


def judge_connections(
    evidence: Evidence, facts: Mapping[str, Any], *, asked: Connections, missing: str
) -> Iterator[Finding]:
    """The findings on each of the three that the file asks for; `missing` is why nothing was seen."""
    if asked.crowd is not None:
        yield _crowd(facts.get("crowd"), missing)
        yield _crowd_p95(evidence, asked.crowd)
    if asked.waiting is not None:
        yield _waiting(facts.get("waiting"), asked.waiting, missing)
    if asked.leak is not None:
        yield _leak(facts.get("leak"), asked.leak, missing)


def _crowd(facts: Mapping[str, Any] | None, missing: str) -> Finding:
    if facts is None or not facts.get("requests"):
        return checks.inconclusive(CROWD, f"the crowd: {missing if facts is None else 'no request'}")
    requests, failed = facts["requests"], facts["failed"]
    most = (facts.get("sessions") or {}).get("most")
    seen = "" if most is None else f", with at most {_sessions(most)} in the database"
    said = (
        f"{facts['users']} users at once: {failed} of {requests} requests failed, p95 "
        f"{format_quantity(facts['p95'], 's')}{seen}"
    )
    why = "; ".join(f"{count} x {reason}" for reason, count in (facts.get("why") or {}).items())
    return checks.holds(
        CROWD,
        ok=failed <= WORST_CROWD * requests,
        message=f"{said} ({why})" if why else said,
        remedy=LARGER,
    )


def _crowd_p95(evidence: Evidence, asked: Crowd) -> Finding:
    return checks.within(
        CROWD_P95,
        evidence.find(CROWD_P95),
        limit=asked.p95.limit,
        subject=f"the p95 of {asked.users} users at once",
        severity=asked.p95.severity,
        remedy=LARGER,
    )


def _waiting(facts: Mapping[str, Any] | None, asked: Waiting, missing: str) -> Finding:
    if facts is not None and (why := facts.get("not_applicable")):
        return checks.not_applicable(POOL, f"beside waiting statements: {why}")
    if facts is None or (why := _unwaited(facts, asked)):
        return checks.inconclusive(POOL, f"beside waiting statements: {missing if facts is None else why}")
    last = facts["steps"][-1]
    if not last["in_time"]:
        return _stood_still(last, asked, alone=facts["alone"])
    slowest = format_quantity(max(step["seconds"] for step in facts["steps"]), "s")
    said = f"while {last['waiting']} requests ({asked.operation}) waited in the database, {asked.beside}"
    return checks.holds(POOL, ok=bool(last["ok"]), message=f"{said} took {slowest} {last['why']}".rstrip())


def _unwaited(facts: Mapping[str, Any], asked: Waiting) -> str:
    """Why nothing can be said; "" where it can."""
    if why := facts.get("cannot"):
        return str(why)
    if not facts["steps"]:
        return f"{asked.beside} by itself: {facts['why'] or 'it was never reached'}"
    last = facts["steps"][-1]
    if not last["in_database"]:
        return (
            f"no statement of {asked.operation} waited for the lock on {asked.lock}: does it use the table?"
        )
    return _unclear(last, asked)


def _unclear(last: Mapping[str, Any], asked: Waiting) -> str:
    """Why the last step proves nothing, whichever way it went."""
    if last["in_time"] and last["in_database"] < asked.at_once:
        return f"only {last['in_database']} of {asked.at_once} statements were seen to wait"
    if not last["in_time"] and last["active_then"] > last["waiting"]:
        return f"{asked.beside} waited in the database itself: does it use {asked.lock} too?"
    if not last["in_time"] and not last["ok"]:
        return f"{asked.beside} got no answer beside them, nor later: {last['why']}"
    return ""


def _stood_still(last: Mapping[str, Any], asked: Waiting, *, alone: float) -> Finding:
    waited, usual = format_quantity(asked.patience, "s"), format_quantity(alone, "s")
    said = (
        f"while {last['waiting']} request{'s' if last['waiting'] > 1 else ''} ({asked.operation}) waited in "
        f"the database, {asked.beside} got no answer within {waited} (alone {usual}); the service had "
        f"{_sessions(last['sessions'])} there: its pool is too small, or it does one thing at a time"
    )
    return checks.holds(POOL, ok=False, message=said, remedy=LARGER_POOL)


def _leak(facts: Mapping[str, Any] | None, asked: Leak, missing: str) -> Finding:
    if facts is None or "probes" not in facts:
        why = (facts or {}).get("why") or missing
        return checks.inconclusive(LEAK, f"connections given back, {asked.probe} before: {why}")
    after = f"after {facts['done']} requests ({', '.join(asked.operations)}), one at a time"
    if leaked := _leaked(facts, asked, after=after):
        return checks.holds(LEAK, ok=False, message=leaked, remedy=GIVE_BACK)
    least = len(asked.operations) * asked.times
    if said := _odd(facts, asked, least=least):
        return checks.inconclusive(LEAK, f"{after}, {asked.probe} was answered again, and yet: {said}")
    how = "no session stayed in a transaction and " if "stuck" in facts else ""
    took, before = (format_quantity(each, "s") for each in (facts["probes"][-1]["seconds"], facts["alone"]))
    said = f"{after}, {how}{asked.probe} is answered as before (in {took}, before in {before})"
    return checks.holds(LEAK, ok=True, message=said)


def _odd(facts: Mapping[str, Any], asked: Leak, *, least: int) -> str:
    """Why a good answer to the last probe does not prove that all is well; "" where it does."""
    bad = next((each["why"] for each in facts["probes"] if not each["ok"]), "")
    slow = next(
        (each["seconds"] for each in facts["probes"] if is_slow(each["seconds"], facts["alone"])), None
    )
    few = "" if facts["done"] >= least else f"only {facts['done']} of {least} were made"
    late = "" if slow is None else f"one {asked.probe} took {_compared(slow, facts['alone'])}"
    return str(facts["refused"] or bad or late or few)


def _leaked(facts: Mapping[str, Any], asked: Leak, *, after: str) -> str:
    """The proof, in words; "" where there is none."""
    if stuck := facts.get("stuck"):
        said = f"{_sessions(stuck)} of the service stayed in a transaction"
        return f"{said} for {facts['quiet']:g} s without traffic {after}: connections leak"
    probes, alone = facts["probes"], facts["alone"]
    if not any(each["ok"] for each in probes):
        took, usual = (format_quantity(seconds, "s") for seconds in (probes[0]["seconds"], alone))
        why = f"{probes[0]['why']} after {took}, alone before it took {usual}"
        return f"{after}, {asked.probe} fails: {why}: connections leak"
    if all(is_slow(each["seconds"], alone) for each in probes):
        quickest = min(each["seconds"] for each in probes)
        took = _compared(quickest, alone)
        return f"{after}, {asked.probe} takes {took}, as if connections were not given back"
    return ""


def _compared(seconds: float, before: float) -> str:
    return f"{format_quantity(seconds, 's')}, before {format_quantity(before, 's')}"


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"
