"""Whole results to render: everything that can happen, all green, nothing measured, hostile text."""

import math
import random
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pytest

from campaign.gate import improvements, judge_gate
from campaign.records import (
    SCHEMA_VERSION,
    CampaignResult,
    Direction,
    Evidence,
    Finding,
    Limit,
    Measurement,
    Outcome,
    PhaseResult,
    Reason,
    ReasonKind,
    Run,
    Series,
    Severity,
    Status,
    StopReason,
)
from campaign.scoring import Policy, score_campaign

BEGAN = 1_795_186_920.0
STEP = 4
HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "\x1b[31m\u202e=1+1|`@all`\ud800"
)

Q = {"p": Outcome.PASSED, "w": Outcome.WARNED, "f": Outcome.FAILED, "?": Outcome.INCONCLUSIVE}
WEIGHTS = {Severity.BLOCKER: 10.0, Severity.CRITICAL: 5.0, Severity.IMPORTANT: 3.0, Severity.MINOR: 1.0}


def at_most(target, unit, acceptable=None):
    return Limit(target, target if acceptable is None else acceptable, unit)


def at_least(target, unit, acceptable=None):
    return Limit(target, target if acceptable is None else acceptable, unit, Direction.AT_LEAST)


def finding(check, outcome, message, *, measured=None, limit=None, severity=Severity.CRITICAL, remedy=""):
    return Finding(
        check, Q.get(outcome, outcome), message, measured, limit, severity, WEIGHTS[severity], remedy
    )


def scenario(name, users, hold, operations, *, errors=(), lag=0.0012, cpu=0.61, **further):
    return {
        "name": name,
        "model": "closed",
        "model_title": "closed model: who has an answer asks again",
        "shape": f"0 to {users:,} users in 20 s, {users:,} users for {hold} s",
        "users": users,
        "level": float(users),
        "seconds": 20.0 + hold,
        "judged": [20.0, 20.0 + hold],
        "warm_up": 0.0,
        "cut_before": users,
        "cut_after": 0,
        "hold_seconds": hold,
        "asked": float(users * hold),
        "reached": users * hold * 0.998,
        "load_reached": 0.998,
        "longest_stall": 0.41,
        "reconnects": 12,
        "generator": {
            "loop_lag_p99": lag,
            "schedule_lag_p99": 0.0021,
            "cpu": cpu,
            "workers": 2,
            "workers_lost": 0,
            "saturation": "",
        },
        "operations": operations,
        "errors": list(errors),
        **further,
    }


def busy():
    """Everything that a scenario may tell beside its operations."""
    story = {"p50": 0.41, "p95": 0.93, "p99": 1.4, "mean": 0.5, "max": 2.2}
    return {
        "views": [operation("kind parent", 21_400, 0.069, 0.25), operation("region eu", 36_000, 0.08, 0.27)],
        "groups": [{"name": "reading", "count": 1_204, "failed": 3, "times": story}],
        "times": [
            {
                "operation": "converse",
                "name": "first_event",
                "title": "time to the first event",
                "count": 48_190,
                "times": story,
            }
        ],
        "received": [{"operation": "converse", "what": "events", "count": 912_004}],
        "counts": {"retries": 41, "cut": 2, "accounts.made": 1_000, "accounts.deleted": 998},
        "accounts": {"made": 1_000, "deleted": 998, "left": 2},
        "people": {
            "count": 1_000,
            "fastest": 0.052,
            "middle": 0.08,
            "slowest": 0.31,
            "with_errors": 17,
            "extremes": [{"user": 412, "count": 61, "failed": 2, "mean": 0.31, "longest": 2.9}],
        },
        "errors_over_time": {
            "asked": 56_670,
            "failed": 20,
            "spike": {
                "began": 201.0,
                "ended": 205.0,
                "failed": 14,
                "asked": 756,
                "chance": 1e-12,
                "error_rate": 0.0185,
            },
        },
        "windows": {},
        "aborted": None,
        "not_compared": "no baseline was given (--baseline)",
    }


def operation(name, count, p50, p95, *, error_rate=0.0, hold=300):
    response = {"p50": p50, "p95": p95, "p99": p95 * 1.7, "mean": p50 * 1.15, "max": p95 * 4.1}
    return {
        "name": name,
        "count": count,
        "rate": count / hold,
        "error_rate": error_rate,
        "response": response,
        "service": {key: value * 0.94 for key, value in response.items()},
    }


ERRORS = (
    {
        "operation": "converse",
        "kind": "status",
        "detail": "status 503",
        "count": 17,
        "first": 201.4,
        "last": 287.9,
        "samples": [
            {
                "at": 201.4,
                "user": 412,
                "request": 'POST /api/conversation\n{"child_id": 91, "text": "Why is the sky blue?"}',
                "answer": '503 Service Unavailable\n{"detail": "the database pool is exhausted"}',
            }
        ],
    },
    {
        "operation": "history",
        "kind": "timeout",
        "detail": "no answer within 5 s",
        "count": 3,
        "first": 233.0,
        "last": 251.2,
        "samples": [{"at": 233.0, "user": 77, "request": "GET /api/session/1204/history", "answer": ""}],
    },
)


def wave(name, unit, began, ended, *, base, swing, noise, seed):
    source = random.Random(seed)
    times = [float(t) for t in range(began, ended, STEP)]
    span = max(1, ended - began)
    values = [
        max(0.0, base + swing * math.sin(math.pi * (at - began) / span) + source.gauss(0, noise))
        for at in times
    ]
    digits = 0 if unit == "B" else 5
    values = [round(each, digits) for each in values]
    return Series(name, unit, tuple(times), tuple(values))


def scenario_series(label, began, ended, *, scale):
    return (
        wave(f"{label}.p95", "s", began, ended, base=0.09, swing=0.17 * scale, noise=0.012, seed=1),
        wave(f"{label}.p50", "s", began, ended, base=0.04, swing=0.03 * scale, noise=0.004, seed=2),
        wave(f"{label}.rate", "1/s", began, ended, base=20, swing=170 * scale, noise=6, seed=3),
        wave(
            f"{label}.error_rate",
            "share",
            began,
            ended,
            base=-0.004,
            swing=0.006 * scale,
            noise=0.001,
            seed=4,
        ),
        wave(f"{label}.users", "users", began, ended, base=10, swing=990 * scale, noise=0, seed=5),
    )


def load_phase(**changes):
    peak = "load.peak.converse"
    evidence = Evidence(
        measurements=(
            Measurement("requests", 61_940.0, "requests", 61_940),
            Measurement("peak.converse.p95", 0.26, "s", 48_211, 0.251, 0.27),
            Measurement("peak.converse.error_rate", 0.0004, "share", 48_211, 0.0002, 0.0006),
        ),
        series=(
            *scenario_series("baseline", 0, 140, scale=0.05),
            *scenario_series("peak", 144, 470, scale=1.0),
        ),
        facts={
            "spans": [
                {"name": "baseline", "began": 0.0, "ended": 140.0},
                {"name": "peak", "began": 144.0, "ended": 470.0},
            ],
            "scenarios": [
                scenario(
                    "baseline",
                    50,
                    120,
                    [
                        operation("register", 50, 0.031, 0.055, hold=120),
                        operation("converse", 5_220, 0.042, 0.088, hold=120),
                    ],
                ),
                scenario(
                    "peak",
                    1_000,
                    300,
                    [
                        operation("converse", 48_211, 0.071, 0.26, error_rate=0.0004),
                        operation("history", 8_459, 0.052, 0.19, error_rate=0.0004),
                    ],
                    errors=ERRORS,
                    **busy(),
                ),
            ],
        },
        notes=(
            "Response time counts from the moment a request was due, service time from when it was sent.",
        ),
    )
    findings = (
        finding(
            "load.baseline.converse.p95",
            "p",
            "conversation p95, baseline, was 88 ms (target 200 ms, acceptable 500 ms)",
            measured=Measurement("baseline.converse.p95", 0.088, "s", 5_220, 0.085, 0.092),
            limit=at_most(0.2, "s", 0.5),
        ),
        finding(
            f"{peak}.p95",
            "w",
            "conversation p95, peak, was 260 ms (target 200 ms, acceptable 500 ms)",
            measured=Measurement("peak.converse.p95", 0.26, "s", 48_211, 0.251, 0.27),
            limit=at_most(0.2, "s", 0.5),
            severity=Severity.IMPORTANT,
            remedy="The time is spent in the database pool: raise its size or shorten the transaction.",
        ),
        finding(
            f"{peak}.error_rate",
            "p",
            "conversation errors, peak, were 0.04 % (at most 1 %)",
            measured=Measurement("peak.converse.error_rate", 0.0004, "share", 48_211, 0.0002, 0.0006),
            limit=at_most(0.01, "share"),
        ),
        finding(
            "load.peak.load_reached",
            "p",
            "users at work, peak, were 99.8 % (at least 99 %)",
            measured=Measurement("peak.load_reached", 0.998, "share", 300, 0.997, 0.999),
            limit=at_least(0.99, "share", 0.95),
            severity=Severity.IMPORTANT,
        ),
        Finding(
            "load.peak.longest_stall",
            Outcome.INFORMATIONAL,
            "the longest time without any answer was 410 ms",
            Measurement("peak.longest_stall", 0.41, "s", 300, 0.41, 0.41),
            None,
            Severity.MINOR,
            0.0,
            "",
        ),
    )
    phase = PhaseResult("load", "load", "Load", Status.COMPLETED, evidence, findings, BEGAN, BEGAN + 474)
    return replace(phase, **changes)


def database_phase():
    findings = (
        finding(
            "database.statement.p95",
            "p",
            "statement p95 was 6.1 ms (target 10 ms, acceptable 25 ms)",
            measured=Measurement("statement.p95", 0.0061, "s", 221_400, 0.0059, 0.0064),
            limit=at_most(0.01, "s", 0.025),
        ),
        finding(
            "database.pool.free",
            "p",
            "connections left free were 38 % (at least 20 %)",
            measured=Measurement("pool.free", 0.38, "share", 180, 0.36, 0.41),
            limit=at_least(0.2, "share"),
            severity=Severity.MINOR,
        ),
        finding(
            "database.isolation.read_committed",
            "p",
            "no dirty read in 2,000 tries at read committed",
            severity=Severity.BLOCKER,
        ),
    )
    evidence = Evidence(measurements=(Measurement("requests", 2_000.0, "requests", 2_000),))
    return PhaseResult(
        "database", "database", "Database", Status.COMPLETED, evidence, findings, BEGAN + 474, BEGAN + 654
    )


def failover_phase():
    findings = (
        finding(
            "failover.database_killed.lost_writes",
            "f",
            "3 of 24,770 acknowledged messages were gone after teddy-postgres was killed (at most 0)",
            measured=Measurement("database_killed.lost_writes", 3.0, "messages", 24_770, 3.0, 3.0),
            limit=at_most(0.0, "messages"),
            severity=Severity.BLOCKER,
            remedy="synchronous_commit is off; switch it on for the table of messages.",
        ),
        finding(
            "failover.database_killed.recovery",
            "f",
            "recovery after the database was killed took 44 s (target 15 s, acceptable 30 s)",
            measured=Measurement("database_killed.recovery", 44.0, "s", 3, 41.0, 49.0),
            limit=at_most(15.0, "s", 30.0),
        ),
        finding(
            "failover.cache_stopped.error_rate",
            "p",
            "errors while Redis was stopped were 0.2 % (at most 1 %)",
            measured=Measurement("cache_stopped.error_rate", 0.002, "share", 4_120, 0.001, 0.004),
            limit=at_most(0.01, "share"),
        ),
        finding("failover.restored", "p", "the target is as it was found", severity=Severity.BLOCKER),
    )
    evidence = Evidence(
        measurements=(Measurement("requests", 28_890.0, "requests", 28_890),),
        facts={
            "spans": [
                {"name": "database killed", "began": 690.0, "ended": 736.0},
                {"name": "Redis stopped", "began": 780.0, "ended": 810.0},
            ]
        },
    )
    return PhaseResult(
        "failover", "failover", "Failover", Status.COMPLETED, evidence, findings, BEGAN + 654, BEGAN + 850
    )


def safety_phase():
    findings = (
        finding(
            "safety.isolation_under_load",
            "f",
            "child B received child A's canary in 7 of 48,211 answers while 1 % of clients disconnected",
            severity=Severity.BLOCKER,
            remedy="A connection returns to the pool before its answer is read: discard it then.",
        ),
        finding(
            "safety.content_filter",
            "?",
            "content filter: 0 of 1,000 items bounds misses at 0.30 %; 2,995 are needed to show 0.1 %",
            measured=Measurement("content_filter.misses", 0.0, "share", 1_000, 0.0, 0.003),
            limit=at_most(0.001, "share"),
            remedy="Give more items: safety.content.items: 3000.",
        ),
        *(
            finding(
                f"safety.consent.{name}",
                "p",
                f"{name.replace('_', ' ')} without consent is refused",
                severity=Severity.BLOCKER,
            )
            for name in ("conversation", "export", "profile", "voice_upload")
        ),
        Finding(
            "safety.voice_retention",
            Outcome.NOT_APPLICABLE,
            "the target keeps no voice",
            None,
            None,
            Severity.MINOR,
            0.0,
            "",
        ),
    )
    evidence = Evidence(
        measurements=(Measurement("requests", 51_204.0, "requests", 51_204),),
        notes=("This is evidence for a review, not a legal judgement.",),
    )
    return PhaseResult(
        "safety", "safety", "Safety", Status.COMPLETED, evidence, findings, BEGAN + 850, BEGAN + 1_100
    )


def skipped(name, kind, text, status=Status.SKIPPED):
    return PhaseResult(name, name, name.capitalize(), status, reason=Reason(kind, text))


def monitoring(ended=1_100):
    return Evidence(
        series=(
            wave("host.cpu", "share", 0, ended, base=0.4, swing=0.3, noise=0.04, seed=6),
            wave("host.memory", "B", 0, ended, base=3.1e9, swing=4e8, noise=1e7, seed=7),
            wave("target.cpu", "share", 0, ended, base=0.3, swing=0.6, noise=0.05, seed=8),
            wave("target.memory", "B", 0, ended, base=2.1e8, swing=5e7, noise=1e6, seed=9),
            wave("campaign.cpu", "share", 0, ended, base=0.2, swing=0.4, noise=0.03, seed=10),
            wave("campaign.memory", "B", 0, ended, base=9e7, swing=1e7, noise=5e5, seed=11),
        )
    )


CONFIGURATION = {
    "phases": {
        "load": {
            "scenarios": {"baseline": {"users": 50, "hold": "2m"}, "peak": {"users": 1000, "hold": "5m"}},
            "limits": {"converse": {"p95": "200ms..500ms", "error_rate": "< 1%"}},
        }
    },
    "scoring": {"weights": {"load": 20, "database": 15, "failover": 15, "safety": 25}, "pass": 80},
}

ENVIRONMENT = {
    "name": "staging",
    "target_version": "teddy-api 2.14.0 (9f31c2a)",
    "machine": {"system": "Linux 6.12 x86_64", "cores": 2, "memory": "8 GiB", "python": "3.11.7"},
    "campaign": "0.1.0",
}


def campaign(*results, stop=StopReason.FINISHED, monitored=None, ended=1_100.0):
    policy = Policy()
    score = score_campaign(results, policy)
    return CampaignResult(
        schema=SCHEMA_VERSION,
        run=Run(
            "AI Teddy Bear",
            "http://127.0.0.1:8000",
            BEGAN,
            BEGAN + ended,
            7,
            stop,
            ENVIRONMENT,
            CONFIGURATION,
        ),
        results=results,
        monitoring=monitoring() if monitored is None else monitored,
        score=score,
        gate=judge_gate(results, score, policy=policy, stop=stop),
        improvements=improvements(results, score, policy=policy),
    )


def everything():
    return campaign(
        load_phase(),
        database_phase(),
        failover_phase(),
        safety_phase(),
        skipped("stress", ReasonKind.NOT_INSTALLED, "the stress phase is not installed"),
        skipped("stability", ReasonKind.REQUESTED, "not asked for (--stability-hours 24)"),
        skipped("benchmark", ReasonKind.CRASHED, "ValueError: no operation to repeat", Status.ERROR),
    )


def green():
    load = load_phase()
    passed = tuple(each for each in load.findings if each.outcome is not Outcome.WARNED)
    calm = {"spans": load.evidence.facts["spans"], "scenarios": [load.evidence.facts["scenarios"][0]]}
    evidence = replace(load.evidence, facts=calm)
    return campaign(
        replace(load, findings=passed, evidence=evidence),
        *(
            skipped(name, ReasonKind.REQUESTED, f"--skip-{name}")
            for name in ("database", "failover", "safety")
        ),
        monitored=monitoring(474),
        ended=474.0,
    )


def unmeasured():
    reason = "http://127.0.0.1:8000/health: connection refused"
    return campaign(
        skipped("load", ReasonKind.TARGET_UNREACHABLE, reason),
        skipped("safety", ReasonKind.TARGET_UNREACHABLE, reason),
        stop=StopReason.TARGET_UNREACHABLE,
        monitored=Evidence(),
        ended=2.0,
    )


def poisoned(value: Any) -> Any:  # noqa: PLR0911
    """The same record with hostile markup in every text that is not a key of the format."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, Series):
        return value
    if isinstance(value, Mapping):
        return {key: each if key == "spans" else poisoned(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(poisoned(each) for each in value)
    if is_dataclass(value):
        names = [each.name for each in fields(value) if each.name not in {"schema", "kind", "unit"}]
        return replace(value, **{name: poisoned(getattr(value, name)) for name in names})
    return value


def hostile():
    return poisoned(everything())


@pytest.fixture
def all_phases():
    return everything()


@pytest.fixture
def all_green():
    return green()


@pytest.fixture
def not_measured():
    return unmeasured()


@pytest.fixture
def hostile_result():
    return hostile()
