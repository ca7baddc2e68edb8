"""Runs the checks one after the other; one that breaks off costs its own evidence only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from campaign.database.failure import failure_of
from phases.database.invariants.appends import run_appends
from phases.database.invariants.atomicity import run_ended_sessions
from phases.database.invariants.bench import Bench
from phases.database.invariants.demands import level_of
from phases.database.invariants.judge import CHECKS
from phases.database.invariants.killed import run_killed_clients
from phases.database.invariants.races import run_check_constraint, run_foreign_key, run_unique_key
from phases.database.invariants.settings import InvariantsSettings
from phases.database.invariants.transfers import run_transfers
from phases.database.scene import Scene

Check = Callable[[Bench], dict[str, Any]]


async def run_checks(scene: Scene) -> None:
    """Run every check, and record after each what is known so far."""
    settings: InvariantsSettings = scene.settings.invariants
    runs = _runs(settings)
    cut = threading.Event()
    bench = await asyncio.to_thread(_open, scene, settings, cut)
    if bench is None:
        return
    fact: dict[str, Any] = {
        "product": bench.server.version.product,
        "level": bench.level,
        "workers": settings.workers,
        "checks": {},
        "troubles": {},
    }
    try:
        for done, name in enumerate(CHECKS):
            if scene.stopping:
                break
            scene.tell(f"invariants: {CHECKS[name].title}", done / len(CHECKS))
            await _run_one(runs[name], name, bench=bench, fact=fact)
            scene.context.record.fact("invariants", fact)
    finally:
        cut.set()
        await asyncio.shield(asyncio.to_thread(bench.close))


def _runs(settings: InvariantsSettings) -> dict[str, Check]:
    return {
        "transfers": partial(run_transfers, accounts=settings.accounts),
        "history": run_appends,
        "ended_session": run_ended_sessions,
        "killed_client": run_killed_clients,
        "foreign_key": run_foreign_key,
        "unique_key": run_unique_key,
        "check_constraint": run_check_constraint,
    }


def _open(scene: Scene, settings: InvariantsSettings, cut: threading.Event) -> Bench | None:
    if scene.server is None or scene.territory is None:
        return None
    return Bench(
        scene.server,
        scene.territory,
        level=level_of(scene.settings),
        workers=settings.workers,
        seconds=settings.seconds,
        seed=scene.context.seed,
        halted=lambda: scene.stopping or cut.is_set(),
    )


async def _run_one(run: Check, name: str, *, bench: Bench, fact: dict[str, Any]) -> None:
    try:
        fact["checks"][name] = await asyncio.to_thread(run, bench)
    except (SQLAlchemyError, OSError, RuntimeError) as error:
        fact["troubles"][name] = str(failure_of(error))
