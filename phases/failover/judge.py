"""What the figures say: it recovered in time, lost nothing, failed fast, and is as it was. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from campaign import checks
from campaign.records import Evidence, Finding
from phases.failover.case import CHECKS, Case, doubt_of
from phases.failover.catalogue import SERVICE, SHIPPED
from phases.failover.forms import ScenarioSettings
from phases.failover.ledgers import duplicates, lost, phantom
from phases.failover.measure import PLAN, SCENARIOS
from phases.failover.recovery import no_storm, pool, recovered
from phases.failover.settings import FailoverSettings
from phases.failover.users import during, fails_fast, in_flight, sessions
from phases.failover.wholeness import consistent, effect, restored

JUDGES: Mapping[str, Callable[[Case], Finding]] = {
    "effect": effect,
    "during": during,
    "recovered": recovered,
    "lost": lost,
    "phantom": phantom,
    "duplicates": duplicates,
    "in_flight": in_flight,
    "sessions": sessions,
    "fails_fast": fails_fast,
    "no_storm": no_storm,
    "pool": pool,
    "consistent": consistent,
    "restored": restored,
}
"""Who makes the finding of each check of `CHECKS`."""

NOT_REACHED = "it was never reached"
NO_WRITES = "the campaign file names no operation whose writes are followed (failover.writes)"
NO_SESSION = "the campaign file names nothing that a signed-in user does (failover.probes.session)"
SERVICE_AWAY = "the service itself was away, and who is not there cannot answer fast"
NOT_IN_ORDER = "no stop was asked for in good order, so what is in flight may be lost"


def judge_failover(evidence: Evidence, settings: FailoverSettings) -> Iterator[Finding]:
    """One finding per planned check of every scenario, also of those that were never reached."""
    seen = {each["name"]: each for each in evidence.facts.get(SCENARIOS, ())}
    plan = {each["name"]: each for each in evidence.facts.get(PLAN, ())}
    for name, asked in settings.asked().items():
        why = str(plan.get(name, {}).get("why", ""))
        if name in seen:
            yield from _judged(seen[name], asked, settings)
        elif why and asked.if_known:
            title = SHIPPED[asked.form or name].title
            yield checks.not_applicable(f"{name}.effect", f"{title}: {why}")
        else:
            why = why or str(evidence.facts.get("rest") or NOT_REACHED)
            yield from _unjudged(name, asked, settings, why=why)


def _judged(
    figures: dict[str, Any], asked: ScenarioSettings, settings: FailoverSettings
) -> Iterator[Finding]:
    case = Case(figures, asked.recovered_within or settings.recovered_within, doubt_of(figures))
    subjects = {each["subject"] for each in figures["strikes"]}
    left_out = _meaningless(figures["name"], asked, settings, serving=SERVICE not in subjects)
    for check, judge in JUDGES.items():
        yield case.meaningless(check, left_out[check]) if check in left_out else judge(case)


def _unjudged(
    name: str, asked: ScenarioSettings, settings: FailoverSettings, *, why: str
) -> Iterator[Finding]:
    """Every check that would have been made."""
    form = SHIPPED[asked.form or name]
    left_out = _meaningless(name, asked, settings, serving=SERVICE not in (asked.on or form.roles))
    for check, severity in CHECKS.items():
        if check in left_out:
            message = f"{form.title}: {left_out[check]}"
            yield checks.not_applicable(f"{name}.{check}", message, severity=severity)
        else:
            yield checks.inconclusive(f"{name}.{check}", f"{form.title}: {why}", severity=severity)


def _meaningless(
    name: str, asked: ScenarioSettings, settings: FailoverSettings, *, serving: bool
) -> dict[str, str]:
    """The checks that mean nothing here, and why; `serving`: the service itself was left alone."""
    why: dict[str, str] = {}
    if settings.writes is None:
        why |= dict.fromkeys(("lost", "phantom", "duplicates"), NO_WRITES)
    if settings.probes.session is None:
        why["sessions"] = NO_SESSION
    if not serving:
        why["fails_fast"] = SERVICE_AWAY
    if not SHIPPED[asked.form or name].volley:
        why["in_flight"] = NOT_IN_ORDER
    return why
