"""A scene for parts of the database phase in tests: a context whose record keeps everything in memory."""

import asyncio
import contextlib
import time
from pathlib import Path

from campaign.clock import SECOND, RealClock
from campaign.database.address import read_address
from campaign.database.server import open_server, tag_of
from campaign.database.territory import claim
from campaign.phase import PhaseContext, Stop
from campaign.records import Evidence
from campaign.target.spec import TargetSpec, Vocabulary
from phases.database.scene import Scene
from phases.database.settings import DatabaseSettings


class Kept:
    """A record in memory."""

    def __init__(self):
        self.measurements = {}
        self.series = {}
        self.facts = {}
        self.notes = []
        self._began = time.monotonic()

    def measurement(self, measurement):
        self.measurements[measurement.name] = measurement

    def points(self, at, values):
        for name, (value, _) in values.items():
            self.series.setdefault(name, []).append((at, value))

    def fact(self, name, value):
        self.facts[name] = value

    def note(self, text):
        self.notes.append(text)

    def elapsed(self):
        return time.monotonic() - self._began

    @property
    def evidence(self):
        """What a judge is given."""
        return Evidence(tuple(self.measurements.values()), (), self.facts, tuple(self.notes))


def make_context(settings, *, stores=None, workdir=None, seed=7, target=None, vocabulary=None):
    """A context with a record in memory: `context.record.evidence` is what was recorded, and
    `context.record.told` what was shown of its progress. Call it in a running loop.
    """
    told = []
    clock = RealClock()
    context = PhaseContext(
        target=target or TargetSpec("http://127.0.0.1:9", stores=stores or {}),
        vocabulary=vocabulary or Vocabulary(),
        settings=settings,
        clock=clock,
        seed=seed,
        workdir=Path(workdir or "/nowhere"),
        baseline=None,
        record=Kept(),
        notify=told.append,
        stop=Stop(clock.now_ns() + 600 * SECOND),
    )
    context.record.told = told
    return context


def settings_of(**sections):
    """The phase's settings from what a campaign file would say."""
    return DatabaseSettings.model_validate(sections)


@contextlib.asynccontextmanager
async def open_scene(url, settings=None, **more):
    """A scene on a real database with a territory of its own, which is dropped afterwards."""
    settings = settings or DatabaseSettings()
    context = make_context(settings, stores={"database": url}, **more)
    server = await asyncio.to_thread(open_server, read_address(url), tag=tag_of("test"))
    try:
        territory = await asyncio.to_thread(claim, server)
        try:
            yield Scene(context, settings, server, "", territory)
        finally:
            with contextlib.suppress(Exception):  # a server that a test has killed
                await asyncio.to_thread(territory.drop)
    finally:
        await asyncio.to_thread(server.close)


def run_phase(settings, *, stores, seconds=60, **more):
    """The evidence after the phase's parts have run, as the runner would run them."""
    from phases.database.collect import run_parts  # noqa: PLC0415 - every part's own needs

    async def run():
        context = make_context(settings, stores=stores, **more)
        async with asyncio.timeout(seconds):
            await run_parts(context)
        return context.record.evidence

    return asyncio.run(run())
