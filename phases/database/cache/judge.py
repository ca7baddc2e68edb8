"""The verdict on the cache: our commands against their limits, and what Redis said of the target's keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding, Measurement, Severity
from phases.database.cache.settings import CacheLimits, CacheSettings
from phases.database.running.judge import judge_limits, judge_reached
from phases.database.running.limits import ALL, Planned
from phases.database.scene import facts_of, trouble_of

TIMES = ("mean", "p95", "p99")
SLOW_COMMAND = "See the slow log, the size of values, and what else runs on the machine of Redis."
FEWEST = 10
"""Keys without expiry of one pattern; fewer may be configuration."""

WITHOUT_US = "(while none of our own commands ran)"

_BOUNDED = "allkeys"
"""How the names of those eviction policies begin under which any key may go."""


def judge_cache(evidence: Evidence, settings: CacheSettings) -> Iterator[Finding]:
    """One finding per limit of each command that is asked for, then what Redis said."""
    facts, trouble = facts_of(evidence, "cache"), trouble_of(evidence, "cache")
    yield from _commands(evidence, settings, facts=facts, trouble=trouble)
    yield from _keys(facts, settings, trouble=trouble)
    yield _memory(facts, settings.limits, trouble=trouble)
    yield from _lookups(facts, settings.limits)
    yield from _health(facts, trouble)


def _commands(
    evidence: Evidence, settings: CacheSettings, *, facts: Mapping[str, Any], trouble: str
) -> Iterator[Finding]:
    sent = facts.get("commands") or {}
    why = trouble or ("" if sent else str(facts.get("refused") or "our own commands were not sent"))
    if facts.get("full"):
        yield checks.holds(
            "cache.writes", False, message=why, remedy="Give it memory or disk, or an eviction policy."
        )
    yield from judge_limits(evidence, _planned(settings), sent, why)
    yield judge_reached("cache", evidence, sent, why)


def _planned(settings: CacheSettings) -> Iterator[Planned]:
    """Every limit on each command that is sent. Errors are judged of all together: one kind alone has too few
    samples for a small rate.
    """
    for name in (*(each for each, weight in settings.mix.items() if weight), ALL):
        for metric in (*TIMES, *(("error_rate",) if name == ALL else ())):
            if (graded := getattr(settings.limits, metric)) is not None:
                yield Planned("cache", name, metric, graded, kind="cache command", remedy=SLOW_COMMAND)


def _keys(facts: Mapping[str, Any], settings: CacheSettings, *, trouble: str) -> Iterator[Finding]:
    """Keys that never expire: a cache that only grows, and data of children that stay for ever."""
    check, survey = "cache.expiry", facts.get("survey")
    if not survey:
        yield checks.inconclusive(
            check, f"the keys were not looked at: {trouble or 'not reached'}", severity=Severity.IMPORTANT
        )
        return
    if not survey["seen"]:
        yield checks.not_applicable(check, "Redis holds no keys but our own")
        return
    for group in survey["patterns"]:
        if group["forever"] >= FEWEST and not _meant(group["pattern"], settings):
            yield _forever(group, policy=facts["view"]["memory"]["policy"])
            check = ""
    if check:
        seen = f"{survey['seen']:,} keys" + ("" if survey["whole"] else f" of about {survey['total']:,}")
        yield checks.holds(
            check, True, message=f"of {seen} no pattern has {FEWEST} or more that never expire",
            severity=Severity.IMPORTANT,
        )  # fmt: skip


def _meant(pattern: str, settings: CacheSettings) -> bool:
    return any(fnmatchcase(pattern, each) for each in settings.forever)


def _forever(group: Mapping[str, Any], *, policy: str) -> Finding:
    check = f"cache.expiry.{group['pattern']}"
    message = f"{group['forever']:,} of {group['count']:,} keys {group['pattern']} never expire"
    if policy.startswith(_BOUNDED):
        return checks.informational(check, f"{message}; Redis drops some when it is full ({policy})")
    remedy = (
        f"Set an expiry where they are written; if they are meant to stay, say so: "
        f"cache: {{forever: ['{group['pattern']}']}}."
    )
    return checks.holds(check, False, message=message, severity=Severity.IMPORTANT, remedy=remedy)


def _memory(facts: Mapping[str, Any], limits: CacheLimits, *, trouble: str) -> Finding:
    check, graded = "cache.memory", limits.memory
    view = facts.get("after") or facts.get("view")
    if not view:
        return checks.inconclusive(check, f"Redis was not asked: {trouble}", severity=graded.severity)
    memory = view["memory"]
    if not memory["limit"]:
        return checks.informational(
            check,
            f"Redis uses {memory['used'] / 2**20:,.1f} MiB and has no limit (maxmemory 0): "
            "it grows until the machine has no memory left",
        )
    share = Measurement.exact("cache.memory", memory["used"] / memory["limit"], unit="share", count=1)
    return checks.within(
        check, share, limit=graded.limit, subject="memory that Redis uses, of its maxmemory,",
        severity=graded.severity, remedy=f"Give it more, or see what fills it (policy {memory['policy']}).",
    )  # fmt: skip


def _lookups(facts: Mapping[str, Any], limits: CacheLimits) -> Iterator[Finding]:
    found = facts.get("lookups") or {}
    asked = found.get("hits", 0) + found.get("misses", 0)
    if limits.hit_ratio is not None:
        ratio = Measurement.exact("cache.hit_ratio", found.get("hit_ratio"), unit="share", count=asked)
        yield checks.within(
            "cache.hit_ratio", ratio, limit=limits.hit_ratio.limit, severity=limits.hit_ratio.severity,
            subject=f"the target's lookups that found a key since {found.get('since', 'the beginning')} "
            f"{WITHOUT_US},",
            remedy="Keys may expire too soon, be evicted, or never be asked for twice.",
        )  # fmt: skip
    elif asked:
        yield checks.informational(
            "cache.hit_ratio",
            f"{found['hits']:,} of {asked:,} of the target's lookups found a key since {found['since']} "
            f"{WITHOUT_US}",
        )
    if found.get("evicted"):
        yield checks.informational(
            "cache.evictions",
            f"{found['evicted']:,} of the target's keys were evicted since {found['since']} {WITHOUT_US}: "
            "memory is full",
        )


def _health(facts: Mapping[str, Any], trouble: str) -> Iterator[Finding]:
    view = facts.get("after") or facts.get("view")
    if not view:
        yield checks.inconclusive(
            "cache.persistence", f"Redis was not asked: {trouble}", severity=Severity.IMPORTANT
        )
        return
    yield _persistence(view["persistence"])
    if view["blocked"]:
        yield checks.informational("cache.blocked", f"{view['blocked']:,} clients wait in a blocking command")
    if slow := facts.get("slow"):
        worst = slow[0]
        yield checks.informational(
            "cache.slow",
            f"{len(slow)} commands came into the slow log meanwhile; the slowest took "
            f"{worst['seconds'] * 1e3:,.1f} ms: {worst['command'][:80]}",
        )


def _persistence(kept: Mapping[str, Any]) -> Finding:
    check = "cache.persistence"
    for name, well in (("snapshot", kept["last_save_ok"]), ("append-only file", kept["last_write_ok"])):
        if not well:
            return checks.holds(
                check, False, message=f"Redis could not write its {name} the last time",
                severity=Severity.IMPORTANT, remedy="See the log of Redis; often the disk is full.",
            )  # fmt: skip
    snapshots = f"snapshots {kept['snapshots']}" if kept["snapshots"] else "no snapshots"
    appended = f"append-only file, fsync {kept['fsync']}" if kept["append_only"] else "no append-only file"
    return checks.informational(check, f"what survives a restart: {snapshots}, {appended}")
