"""One disturbance from calm to calm again, while the writers go on; then everything is read back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Table
from sqlalchemy.exc import SQLAlchemyError

from campaign.clock import SECOND
from campaign.database.failure import failure_of
from campaign.database.server import Server
from campaign.errors import CampaignError
from campaign.ledger.book import read_book
from campaign.ledger.comparison import Comparison, compare
from campaign.ledger.entry import Entry, Mark
from campaign.ledger.moments import Moments, Watch
from campaign.ledger.writer import Ledger
from phases.database.recovery.pooled import Pooled
from phases.database.recovery.settings import RecoverySettings
from phases.database.recovery.strikes import STRIKES, Field, Strike
from phases.database.recovery.witness import (
    Left,
    Run,
    left_over,
    patiently,
    restarted,
    rows_found,
    run_of,
)
from phases.database.recovery.writers import Writers
from phases.database.scene import Scene

LOOK_SECONDS = 0.05
FLOWING_SHARE, FLOWING_WRITES = 0.25, 4
"""Acknowledgements flow while the last one is no older than this share of the calm, or so many writes."""

FIRST_SECONDS = 10.0
"""What the first acknowledgement gets, before anything is disturbed."""

BACK_SECONDS, AWAY_SECONDS = 15.0, 1.0
"""How long we try to read back from a server that was well again, and from one that was not."""

DISPOSE_SECONDS = 5.0


class Counting:
    """Counts the acknowledgements before the disturbance, then hands everything to a watch as well."""

    def __init__(self) -> None:
        self.acknowledged_before = 0
        self.watch: Watch | None = None

    def hear(self, entry: Entry) -> None:
        """One more entry of the ledger."""
        if self.watch is not None:
            self.watch.see(entry)
        elif entry.mark is Mark.ACKNOWLEDGED:
            self.acknowledged_before += 1


@dataclass(slots=True)
class Story:
    """All that a trial saw; what it did not come to is None. Moments are those of the ledger, `struck_ns`
    when the disturbance began and `over_ns` when what we did was done. `why` says why the trial broke off.
    """

    name: str
    why: str = ""
    acknowledged_before: int = 0
    struck_ns: int = 0
    over_ns: int = 0
    ended_ns: int = 0
    strike: Strike | None = None
    moments: Moments | None = None
    comparison: Comparison | None = None
    left: Left | None = None
    table_gone: bool = False
    restarted: bool | None = None
    unreadable: str = ""
    checked_out: int = 0
    connects: int = 0
    retries: int = 0
    skipped: int = 0
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def came_back(self) -> bool:
        """Whether the server could be asked afterwards."""
        return self.comparison is not None


async def run_trial(scene: Scene, server: Server, table: Table, *, name: str, number: int) -> Story:
    """The story of one disturbance. Raises CampaignError where our own ledger cannot be written."""
    story = Story(name)
    settings, clock = scene.settings.recovery, scene.context.clock
    counting = Counting()
    before = await asyncio.to_thread(patiently, lambda: run_of(server), server, seconds=AWAY_SECONDS)
    pooled = Pooled(server.address, settings, tag=f"{server.tag}/recovery", clock=clock)
    with _ledger(scene, name, counting) as ledger:
        writers = Writers(pooled, ledger, table, trial=number, clock=clock)
        at = Field(server, pooled, ledger, table, number, settings, scene.context.stop)
        sending = asyncio.create_task(writers.send(settings))
        try:
            await _disturb(story, at, counting=counting, writers=writers)
        finally:
            await writers.end(settings.write_timeout + 1.0)
            sending.cancel()
            story.checked_out = pooled.checked_out
            await asyncio.wait({asyncio.create_task(pooled.engine.dispose())}, timeout=DISPOSE_SECONDS)
            story.ended_ns = ledger.now_ns()
    _account(story, pooled, writers)
    await asyncio.to_thread(_look_back, story, at, before)
    return story


def _ledger(scene: Scene, name: str, counting: Counting) -> Ledger:
    folder = scene.context.workdir / "recovery"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Ledger(_free(folder, name), scene.context.clock, listener=counting.hear)
    except OSError as error:
        raise CampaignError(f"the ledger cannot be written: {error}") from error


def _free(folder: Path, name: str) -> Path:
    """A file of that name which is not there yet."""
    taken = len(list(folder.glob(f"{name}*.ledger")))
    return folder / (f"{name}-{taken}.ledger" if taken else f"{name}.ledger")


async def _disturb(story: Story, at: Field, *, counting: Counting, writers: Writers) -> None:
    """Let the writers come to a steady state, strike, and wait until all is well again or time is up."""
    settings = at.settings
    await _sleep(at, settings.calm)
    story.acknowledged_before = await _first_acknowledged(at, counting)
    _check_ledger(writers)
    if at.stop.requested:
        story.why = "it was interrupted"
    elif not story.acknowledged_before:
        story.why = f"no write was acknowledged before it ({_most(writers)})"
    if story.why:
        return
    watch = Watch(since_ns=at.ledger.now_ns(), steady_ns=round(settings.calm * SECOND))
    story.struck_ns = story.over_ns = at.ledger.now_ns()
    counting.watch = watch
    try:
        story.strike = await STRIKES[story.name](at)
    except (SQLAlchemyError, OSError) as error:  # a TimeoutError is an OSError
        story.why = f"it could not be brought about: {failure_of(error)}"
    story.over_ns = at.ledger.now_ns()
    await _until_calm(at, watch, writers, over_ns=story.over_ns)
    if at.stop.requested:
        story.why = story.why or "it was interrupted"
    story.moments = watch.moments(at.ledger.now_ns())


async def _first_acknowledged(at: Field, counting: Counting) -> int:
    until = at.ledger.now_ns() + FIRST_SECONDS * SECOND
    while not (counting.acknowledged_before or at.stop.requested or at.ledger.now_ns() > until):
        await _sleep(at, LOOK_SECONDS)
    return counting.acknowledged_before


async def _until_calm(at: Field, watch: Watch, writers: Writers, *, over_ns: int) -> None:
    """Return when it is healthy again, or has not been for as long as it may take."""
    flowing = _flowing(at.settings)
    calm = max(round(at.settings.calm * SECOND), 2 * flowing)
    while not at.stop.requested:
        now = at.ledger.now_ns()
        seen = watch.moments(now)
        _check_ledger(writers)
        hanging = writers.waiting_ns > calm  # what may still fail is no calm
        if now - over_ns >= calm and not hanging and _well(seen, now - flowing):
            return
        begun = over_ns if seen.first_failure_ns is None else max(over_ns, seen.first_failure_ns)
        if now - begun >= at.settings.recovered_within * SECOND + 2 * calm:
            return
        await _sleep(at, LOOK_SECONDS)


def _check_ledger(writers: Writers) -> None:
    if writers.trouble is not None:
        raise CampaignError(f"the ledger cannot be written: {writers.trouble}")


def _flowing(settings: RecoverySettings) -> int:
    """Nanoseconds without an acknowledgement after which they do not flow."""
    return round(max(FLOWING_SHARE * settings.calm, FLOWING_WRITES / settings.rate) * SECOND)


def _well(seen: Moments, since_ns: int) -> bool:
    """Whether writes were acknowledged since then, and nothing failed or it is healthy again."""
    flowing = seen.last_acknowledged_ns >= since_ns
    return flowing and (seen.first_failure_ns is None or seen.healthy_ns is not None)


async def _sleep(at: Field, seconds: float) -> None:
    """Wait so long, or until the user wants to stop."""
    asked = asyncio.create_task(at.stop.wait())
    await asyncio.wait({asked}, timeout=seconds)
    asked.cancel()


def _most(writers: Writers) -> str:
    """What failed most."""
    found = writers.errors.most_common(1)
    return f"{found[0][1]:,} times {found[0][0]}" if found else "and none was refused"


def _account(story: Story, pooled: Pooled, writers: Writers) -> None:
    story.connects, story.retries, story.skipped = pooled.connects, writers.retries, writers.skipped
    story.errors = dict(writers.errors.most_common())


def _look_back(story: Story, at: Field, before: Run) -> None:
    """Read every row back and ask the server what it still has of us. Blocks."""
    well = story.moments is not None and (
        story.moments.healthy_ns is not None or story.moments.first_failure_ns is None
    )
    seconds = BACK_SECONDS if well else AWAY_SECONDS
    try:
        found = patiently(lambda: rows_found(at.server, at.table, at.trial), at.server, seconds=seconds)
        story.table_gone = found is None
        story.comparison = compare(read_book(at.ledger.path), found or ())
        story.restarted = restarted(at.server.kind, before, run_of(at.server))
        numbers = _numbers(story, at.pooled)
        story.left = left_over(at.server, tag=at.pooled.tag, numbers=numbers)
    except (SQLAlchemyError, OSError) as error:
        story.unreadable = str(failure_of(error))


def _numbers(story: Story, pooled: Pooled) -> frozenset[int]:
    """Our sessions in the server as it runs now: after a restart it gives the old numbers to others."""
    failed = story.moments.first_failure_ns if story.moments else None
    since = pooled.clock.now_ns() if failed is None else pooled.began_ns + failed
    ours = (number for number, at in pooled.sessions.items() if not story.restarted or at >= since)
    return frozenset(ours)
