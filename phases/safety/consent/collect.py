"""Tries to collect from children in every state of consent, and looks what was stored."""

from __future__ import annotations

import asyncio

from campaign.clock import SECOND
from campaign.records import Measurement, Severity
from campaign.stats.histogram import Histogram
from phases.safety.cast.principal import Principal
from phases.safety.consent.children import fresh_child
from phases.safety.consent.race import race
from phases.safety.consent.settings import ConsentState
from phases.safety.consent.trying import Attempt, Try, Unasked, tried
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene

PART = "consent"
REMEDY = (
    "Check consent in the transaction that stores, with a lock that a revocation waits for, in every "
    "operation that collects; answer 403 and store nothing."
)
GOOD = range(200, 300)
BUSY, SERVER_ERROR = 429, 500
GIVEN = ""
"""Stands for the state in which consent is given: who is refused then too proves nothing."""


async def collect_consent(scene: Scene) -> None:
    """Every operation with consent and in every state, each with a fresh child; then the race, the load."""
    settings = scene.settings.consent
    probes = await _states(scene)
    scene.record(PART, probes)
    if settings.race and settings.revoke and not scene.stopping:
        scene.tell("consent: revocation beside messages", 0.6)
        probes.append(await race(scene))
        scene.record(PART, probes)
    if settings.load and not scene.stopping:
        scene.tell("consent: operations while consents change", 0.9)
        await _load(scene)


async def _states(scene: Scene) -> list[Probe]:
    """A probe for each state and operation."""
    settings = scene.settings.consent
    given = ConsentState(do=(*settings.give, *settings.opens))
    tries = [
        Try(state, how, operation)
        for state, how in {GIVEN: given, **settings.states}.items()
        for operation in settings.collect
    ]
    outcomes = list(zip(tries, await tried(scene, tries), strict=True))
    controls = {each.operation: outcome for each, outcome in outcomes if each.state == GIVEN}
    return [
        _probe(each, outcome, controls[each.operation]) for each, outcome in outcomes if each.state != GIVEN
    ]


def _probe(each: Try, outcome: Attempt | Unasked, control: Attempt | Unasked) -> Probe:
    why = _no_control(each.operation, control)
    return _untested(each.state, each.operation, why) if why else _judged(each.state, each.operation, outcome)


def _no_control(operation: str, control: Attempt | Unasked) -> str:
    """Why nothing would be proved by a refusal; "" where it would."""
    if isinstance(control, Unasked):
        return f"with consent, {operation} could not be tried: {control.why}"
    if not control.heard.ok:
        return f"with consent, {operation} did not go well either: {control.heard.why} [{control.heard.id}]"
    if not control.stored:
        unread = f" ({'; '.join(control.unread)})" if control.unread else ""
        return (
            f"with consent, what {operation} sent was found nowhere{unread}; does it send {{{{ canary }}}}?"
        )
    return ""


def _judged(state: str, operation: str, outcome: Attempt | Unasked) -> Probe:
    check = f"consent.{state}.{operation}"
    if isinstance(outcome, Unasked):
        if not outcome.needless:
            return _untested(state, operation, outcome.why)
        said = f"consent {state}: nobody can ask for {operation} then: {outcome.why}"
        return Probe(check, Severity.BLOCKER, Answered.NOT_APPLICABLE, said)
    ids, status = (outcome.heard.id,), outcome.heard.status
    accepted = status in GOOD and not outcome.spoken
    if outcome.words_stored or (outcome.stored and accepted):
        said = f"consent {state}: {operation} was answered {status}, and stored in {outcome.where}"
        return Probe(check, Severity.BLOCKER, Answered.FAILED, said, REMEDY, ids)
    if why := _unsettled(outcome, accepted=accepted):
        return _untested(state, operation, why, ids)
    refused = "was let in, and not heard" if outcome.spoken else f"was refused ({status})"
    said = f"consent {state}: {operation} {refused}, and nothing of it is stored"
    return Probe(check, Severity.BLOCKER, Answered.PASSED, said, "", ids)


def _unsettled(outcome: Attempt, *, accepted: bool) -> str:
    """Why it is neither collected nor refused for all that is known; "" where it was refused."""
    status = outcome.heard.status
    if status is None or status >= SERVER_ERROR or status == BUSY:
        return f"no answer settles it: {outcome.heard.why}"
    if accepted:
        return f"it was accepted ({status}), and found nowhere: nobody can tell what became of it"
    if outcome.grown:
        return (
            f"it was refused ({status}), and yet there are {outcome.where}: look whether they hold anything "
            "of it; a table in which refusals are noted belongs into consent.notes"
        )
    return "; ".join(outcome.unread)


def _untested(state: str, operation: str, why: str, ids: tuple[str, ...] = ()) -> Probe:
    said = f"consent {state}: {operation}: {why}"
    return Probe(f"consent.{state}.{operation}", Severity.BLOCKER, Answered.NOT_TESTED, said, "", ids)


async def _load(scene: Scene) -> None:
    """Times of a consented operation, while another child's consent is given and revoked at a rate."""
    settings = scene.settings.consent
    load = settings.load
    assert load is not None  # noqa: S101 - whoever calls has looked
    quiet, restless = await fresh_child(scene), await fresh_child(scene)
    for step in settings.give:
        await quiet.do(step)
    times, failed = Histogram(), 0
    until = scene.context.clock.now_ns() + round(load.hold * SECOND)
    changing = asyncio.create_task(_change(scene, restless, until))
    due = scene.context.clock.now_ns()
    while due < until and not scene.stopping:
        await scene.context.clock.sleep_until(due)
        due += round(SECOND / load.rate)  # as often as consents change: no limit of the target is in its way
        heard = await quiet.do(load.operation, scope=quiet.another_word())
        failed += not heard.ok
        times.record((heard.ended - heard.sent) // 1000)
    changes = await changing
    p95 = times.percentile(0.95)
    scene.context.record.fact("consent_load", {"requests": times.count, "failed": failed, "changes": changes})
    scene.context.record.measurement(
        Measurement.exact("consent.load", None if p95 is None else p95 / 1e6, unit="s", count=times.count)
    )


async def _change(scene: Scene, child: Principal, until: int) -> int:
    """Give and revoke in turn at the rate; how often."""
    settings = scene.settings.consent
    assert settings.load is not None  # noqa: S101
    clock = scene.context.clock
    steps = [*settings.give, *([settings.revoke] if settings.revoke else [])]
    done, due = 0, clock.now_ns()
    while clock.now_ns() < until and not scene.stopping:
        await clock.sleep_until(due)
        await child.do(steps[done % len(steps)])
        done += 1
        due += round(SECOND / settings.load.rate)
    return done
