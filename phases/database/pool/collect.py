"""The experiment with pools, from sizes that there is room for to killed connections; recorded as it goes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from campaign.database.address import Kind
from campaign.database.server import Server
from campaign.errors import ConfigurationError
from campaign.records import Measurement
from phases.database.pool.advice import Advice, advise, is_sound
from phases.database.pool.bench import Shape
from phases.database.pool.driver import Load
from phases.database.pool.exhaustion import exhaust
from phases.database.pool.killing import kill_idle
from phases.database.pool.room import Room, room_of
from phases.database.pool.settings import PoolSettings
from phases.database.pool.steps import run_step, wait_measured
from phases.database.scene import Scene

NAME = "pool"
NO_SERVER = "SQLite is a file, not a server: its connections cost nothing that a pool could save"
USUAL = 10
"""The size that is exhausted where the campaign file names none."""

TRIES = 2
"""The service's pool is tried again where we did not keep time ourselves."""

CHURN_RATE = 50.0
CHURN_SECONDS = 1.5


class PoolExperiment:
    """Tries pools on the database of a scene and records what it saw, step by step."""

    def __init__(self, scene: Scene, server: Server, room: Room) -> None:
        self.scene = scene
        self.server = server
        self.room = room
        self.settings: PoolSettings = scene.settings.pool
        self.facts: dict[str, Any] = {
            "rate": self.settings.rate,
            "query": self.settings.query,
            "timeout": self.settings.timeout,
            "limit": self.settings.wait.limit.target,
            "room": {"limit": room.limit, "used": room.used, "most": room.most, "text": str(room)},
            "steps": [],
            "leaks": [],
        }

    async def run(self) -> None:
        """Everything, in order; each step is on disk before the next."""
        steps = (
            (0.0, "sweep of pool sizes", self._sweep),
            (0.5, "the service's pool", self._judged),
            (0.65, "overflow and no pool", self._churn),
            (0.8, "until the pool is exhausted", self._exhaust),
            (0.95, "idle connections killed", self._kill),
        )
        self._keep()
        for share, what, step in steps:
            if self.scene.stopping:
                return
            self.scene.tell(f"pool: {what}", share)
            await step()
            self._keep()

    async def _sweep(self) -> None:
        sizes = sorted(set(self.settings.sizes))
        self.facts["left_out"] = [size for size in sizes if size > self.room.most]
        for size in sizes:
            if size <= self.room.most and not self.scene.stopping:
                row = await self._step(f"size {size}", Shape(size), self._load(self.settings.step))
                self.facts["steps"].append(row)
                self.scene.context.record.measurement(wait_measured(f"pool.{size}.wait.p99", row))
                self._advise()
                self._keep()

    def _advise(self) -> Advice:
        limit = self.settings.wait.limit.target
        advice = advise(self.facts["steps"], rate=self.settings.rate, limit=limit)
        self.facts["advice"] = advice.plain()
        return advice

    async def _judged(self) -> None:
        """The service's own pool, for longer, as it alone is judged."""
        shape = self._of_service()
        if shape is None or shape.most > self.room.most:
            return
        for _ in range(TRIES):
            row = await self._step("the service's pool", shape, self._load(self.settings.judged))
            if is_sound(row) or self.scene.stopping:
                break
        self.facts["service"] = row
        record = self.scene.context.record
        record.measurement(wait_measured("pool.wait.p99", row))
        record.measurement(Measurement.exact("pool.timeouts", row["timeouts"], unit="checkouts"))

    async def _churn(self) -> None:
        """What connecting costs: a pool that lives by its overflow, and none at all."""
        most = min(self._advise().recommended or USUAL, self.room.most)
        if most > 1:
            shape = Shape(1, most - 1)
            self.facts["overflow"] = await self._step("overflow", shape, self._load(self.settings.step))
        rate = min(self.settings.rate, CHURN_RATE)
        seconds = min(CHURN_SECONDS, self.settings.step)
        load = self._load_at(rate, seconds)
        self.facts["unpooled"] = await self._step("no pool", Shape(0), load, in_flight=self.room.most)

    async def _exhaust(self) -> None:
        of_service = self._of_service()
        shape = of_service or Shape(USUAL)
        if shape.most > self.room.most:
            shape = Shape(self.room.most)
        found = await exhaust(self.scene, shape, said=shape == of_service)
        self.facts["exhaustion"] = found
        self.facts["leaks"] += [f"exhausted pool: {each}" for each in found["leaks"]]

    async def _kill(self) -> None:
        found = await kill_idle(self.server, most=self.room.most)
        self.facts["killed"] = found
        rounds = (found[name] for name in ("without", "with") if name in found)
        self.facts["leaks"] += [f"after a kill: {each['leak']}" for each in rounds if each["leak"]]

    def _of_service(self) -> Shape | None:
        size = self.settings.size
        return None if size is None else Shape(size, self.settings.overflow)

    def _load(self, seconds: float) -> Load:
        return self._load_at(self.settings.rate, seconds)

    def _load_at(self, rate: float, seconds: float) -> Load:
        asked = self.settings
        return Load(rate, seconds, asked.query, asked.timeout, self.scene.context.seed)

    async def _step(self, name: str, shape: Shape, load: Load, *, in_flight: int = 0) -> dict[str, Any]:
        row = await run_step(self.scene, shape, load, in_flight=in_flight)
        if row["leak"]:
            self.facts["leaks"].append(f"{name}: {row['leak']}")
        self.facts["checked"] = self.facts.get("checked", 0) + (not row["cut"])
        return row

    def _keep(self) -> None:
        self.scene.context.record.fact(NAME, self.facts)


async def collect_pool(scene: Scene) -> None:
    """Record what pools of several sizes did. Raises ConfigurationError where there is no room for one."""
    server = scene.server
    assert server is not None  # noqa: S101 - the part needs one
    if server.kind is Kind.SQLITE:
        scene.context.record.fact(NAME, {"not_applicable": NO_SERVER})
        return
    room = await asyncio.to_thread(room_of, server, scene.settings.pool.share)
    if room.most < 1:
        raise ConfigurationError(f"there is no room for a pool: {room}")
    with _short_pauses():
        await PoolExperiment(scene, server, room).run()


@contextmanager
def _short_pauses() -> Iterator[None]:
    """Keep the collector from going through all that is loaded by now: 90 ms each, while queries are due."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
