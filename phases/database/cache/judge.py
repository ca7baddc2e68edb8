"""The verdict on the cache: our commands against their limits, and what Redis said of the target's keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from campaign import checks
from campaign.records import Direction, Evidence, Finding, Limit, Measurement, Severity
from campaign.settings import GradedLimit
from phases.database.cache.settings import CacheLimits, CacheSettings
from phases.database.scene import facts_of, trouble_of

ALL = "all"
FEWEST = 10
"""Keys without expiry of one pattern; fewer may be configuration."""

REACHED = Limit(0.95, 0.95, "share", Direction.AT_LEAST)
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
    doubt = str(sent.get("saturation") or "")
    why = trouble or ("" if sent else str(facts.get("refused") or "our own commands were not sent"))
    if facts.get("full"):
        yield checks.holds(
            "cache.writes", False, message=why, remedy="Give it memory or disk, or an eviction policy."
        )
    for name in (*(each for each, weight in settings.mix.items() if weight), ALL):
        for metric, graded in _limits(settings.limits, name):
            check = f"cache.{name}.{metric}"
            if why:
                yield checks.inconclusive(
                    check, f"cache {name}: {why}", severity=graded.severity, limit=graded.limit
                )
            else:
                yield _against(evidence.find(check), graded, name=name, metric=metric, doubt=doubt)
    yield _reached(evidence, trouble=why, doubt=doubt)


def _limits(limits: CacheLimits, name: str) -> Iterator[tuple[str, GradedLimit]]:
    """Errors are judged of all commands together: one kind alone has too few samples for a small rate."""
    metrics = ("mean", "p95", "p99", "error_rate") if name == ALL else ("mean", "p95", "p99")
    for metric in metrics:
        if (graded := getattr(limits, metric)) is not None:
            yield metric, graded


def _against(
    measured: Measurement | None, graded: GradedLimit, *, name: str, metric: str, doubt: str
) -> Finding:
    what = "all cache commands" if name == ALL else f"cache command {name}"
    finding = checks.within(
        f"cache.{name}.{metric}",
        measured,
        limit=graded.limit,
        subject=f"{what}, {metric.replace('_', ' ')}",
        severity=graded.severity,
        doubt=doubt and f"our own generator was saturated: {doubt}",
        remedy="See the slow log, the size of values, and what else runs on the machine of Redis.",
    )
    return checks.excused(finding, doubt) if metric != "error_rate" else finding


def _reached(evidence: Evidence, *, trouble: str, doubt: str) -> Finding:
    check = "cache.load_reached"
    if trouble:
        return checks.inconclusive(check, f"cache: {trouble}")
    return checks.within(
        check,
        evidence.find(check),
        limit=REACHED,
        subject="the rate of commands that was reached, of the one asked for,",
        doubt=doubt,
        remedy="Redis or the way to it cannot keep up with that rate.",
    )


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
            subject=f"the target's lookups that found a key, since {found.get('since', 'the beginning')},",
            remedy="Keys may expire too soon, be evicted, or never be asked for twice.",
        )  # fmt: skip
    elif asked:
        yield checks.informational(
            "cache.hit_ratio",
            f"{found['hits']:,} of {asked:,} of the target's lookups found a key since {found['since']}",
        )
    if found.get("evicted"):
        yield checks.informational(
            "cache.evictions",
            f"{found['evicted']:,} of the target's keys were evicted since {found['since']}: memory is full",
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
