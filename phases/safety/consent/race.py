"""Messages beside a revocation and after it: what is stored once it was answered had no consent.

At the answer we look at what is stored by then, and again when all senders have ended. What came in between
was committed after the answer; a message that was stored just before accuses nobody.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from campaign.clock import SECOND
from campaign.errors import CampaignError
from campaign.records import Severity
from phases.safety.consent.children import fresh_child, patiently
from phases.safety.probe import Answered, Probe
from phases.safety.stores import Shelf, count_on, shelves

if TYPE_CHECKING:
    from sqlalchemy import Table

    from phases.safety.cast.principal import Principal
    from phases.safety.scene import Scene

CHECK = "consent.race"
STEPS = 8
"""From run to run the revocation comes later, up to the time that a message takes, in so many steps."""

MOST_SENT = 40
"""Messages that one sender sends in a run at most."""

AFTERWARDS = 0.3
"""Seconds for which messages are still sent once the revocation was answered: a consent that is remembered
somewhere lets those in.
"""

PAUSE = 0.1
"""Seconds between a sender's messages by then: they must not all be refused for a rate limit."""

BESIDE = 3
"""Runs beside each other, each with a child of its own."""

SETTLE = 0.25
"""Seconds after the last answer in which something that was queued may still be stored."""

REMEDY = (
    "Check consent in the same transaction that stores the message, with a lock that a revocation waits for; "
    "drop what is queued for a child when its consent goes."
)


@dataclass(frozen=True, slots=True)
class Known:
    """Where a message is stored: table, column, and the name of the child's value in it; and the seconds that
    one takes.
    """

    counted: tuple[tuple[Table, str, str], ...]
    usual: float


async def race(scene: Scene) -> Probe:
    """What came of all runs."""
    settings = scene.settings.consent
    assert settings.race is not None  # noqa: S101 - whoever calls has looked
    if scene.server is None:
        why = "the target's database cannot be looked into (target.database)"
        return Probe(CHECK, Severity.BLOCKER, Answered.NOT_TESTED, why)
    runs: list[Run] = []
    try:
        known = await _known(scene)
        if isinstance(known, str):
            return Probe(CHECK, Severity.BLOCKER, Answered.NOT_TESTED, known)
        for first in range(0, settings.race.runs, BESIDE):
            if scene.stopping:
                break
            numbers = range(first, min(first + BESIDE, settings.race.runs))
            done = await asyncio.gather(*(_run(scene, known, number) for number in numbers))
            runs += [run for run in done if run is not None]
    except CampaignError as error:
        return Probe(CHECK, Severity.BLOCKER, Answered.NOT_TESTED, str(error))
    return _judged(runs)


@dataclass(frozen=True, slots=True)
class Run:
    """Whether anything was stored late, whether messages were under way, and the revocation's exchange."""

    late: bool
    overlapped: bool
    exchange: str


def _judged(runs: list[Run]) -> Probe:
    late = [run.exchange for run in runs if run.late]
    overlapped = sum(run.overlapped for run in runs)
    if late:
        said = f"in {len(late)} of {len(runs)} runs something was stored after the revocation was answered"
        return Probe(CHECK, Severity.BLOCKER, Answered.FAILED, said, REMEDY, tuple(late[:3]))
    if not overlapped:
        said = f"in none of {len(runs)} runs was a message under way when consent was revoked"
        return Probe(CHECK, Severity.BLOCKER, Answered.NOT_TESTED, said)
    said = (
        f"nothing was stored after a revocation was answered, in {len(runs)} runs, {overlapped} of them with "
        "messages under way"
    )
    return Probe(CHECK, Severity.BLOCKER, Answered.PASSED, said)


async def _run(scene: Scene, known: Known, number: int) -> Run | None:
    """One run; None where it could not begin, or the revocation was not confirmed."""
    settings = scene.settings.consent
    assert settings.race is not None  # noqa: S101 - whoever calls has looked
    assert settings.revoke is not None  # noqa: S101
    child = await fresh_child(scene)
    for step in settings.give:
        if not (await patiently(child, step)).ok:
            return None
    places = [Shelf(table, column, str(child.scope.values[name])) for table, column, name in known.counted]
    talk = _Talk(child, settings.race.write)
    senders = [asyncio.create_task(talk.keep_on()) for _ in range(settings.race.at_once)]
    try:
        await asyncio.sleep(known.usual * (1 + number % STEPS / STEPS))
        under_way = bool(talk.under_way)
        revoked = await patiently(child, settings.revoke)
        talk.revoked = True
        by_then = await _stored(scene, places)
        await asyncio.wait(senders, timeout=AFTERWARDS + known.usual)
    finally:
        await _ended(senders)
    await asyncio.sleep(SETTLE)
    in_the_end = await _stored(scene, places)
    return Run(in_the_end > by_then, under_way, revoked.id) if revoked.ok else None


@dataclass(slots=True)
class _Talk:
    """What the senders of one run say; `under_way` of it has no answer yet."""

    child: Principal
    write: str
    under_way: int = 0
    revoked: bool = False

    async def keep_on(self) -> None:
        """Send one message after the other, a bounded number: before the revocation, beside it, after it."""
        for _ in range(MOST_SENT):
            self.under_way += 1
            try:
                await self.child.do(self.write, scope=self.child.another_word())
            finally:
                self.under_way -= 1
            if self.revoked:
                await asyncio.sleep(PAUSE)


async def _ended(senders: list[asyncio.Task[None]]) -> None:
    for each in senders:
        each.cancel()
    for came in await asyncio.gather(*senders, return_exceptions=True):
        if isinstance(came, Exception):
            raise came


async def _known(scene: Scene) -> Known | str:
    """Where a message with consent is stored, by the child's ids; a text where that is not known."""
    settings = scene.settings.consent
    assert settings.race is not None  # noqa: S101
    assert scene.server is not None  # noqa: S101
    child = await fresh_child(scene)
    for step in settings.give:
        await child.do(step)
    scope = child.another_word()
    heard = await child.do(settings.race.write, scope=scope)
    if not heard.ok:
        return f"with consent, {settings.race.write} did not go well either: {heard.why} [{heard.id}]"
    ids = {str(value): name for name, value in child.scope.values.items()}
    found = await asyncio.to_thread(shelves, scene.server, (scope.canary,), ids)
    if not found:
        return f"what {settings.race.write} stores is in no table by any id of the child"
    counted = tuple((each.table, each.column, ids[each.value]) for each in found)
    return Known(counted, (heard.ended - heard.sent) / SECOND)


async def _stored(scene: Scene, places: list[Shelf]) -> int:
    """How many rows of the child there are."""
    assert scene.server is not None  # noqa: S101
    server = scene.server
    return await asyncio.to_thread(lambda: count_on(places, server))
