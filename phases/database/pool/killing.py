"""Idle connections killed on the server: how many checkouts fail, and whether the pool is well after."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from campaign.database.failure import failure_of
from campaign.database.server import Server
from campaign.database.sessions import end_session
from phases.database.pool.bench import SETTLE, Bench, Shape, open_bench

SIZE = 3
ROUNDS = 3
"""Every connection of the pool is taken so often after the kill."""

CHECKOUT_SECONDS = 2.0


async def kill_idle(server: Server, *, most: int) -> dict[str, Any]:
    """What came of killing the idle connections of a pool, without and with pre_ping (SQLAlchemy's test of a
    connection before it is given out).
    """
    shape = Shape(max(1, min(SIZE, most)))
    try:
        return {
            "size": shape.size,
            "without": await _killed(server, shape, pre_ping=False),
            "with": await _killed(server, shape, pre_ping=True),
        }
    except (SQLAlchemyError, OSError) as error:
        return {"trouble": str(failure_of(error))}


async def _killed(server: Server, shape: Shape, *, pre_ping: bool) -> dict[str, Any]:
    async with open_bench(server, shape, patience=CHECKOUT_SECONDS, pre_ping=pre_ping) as bench:
        await bench.warm(text("SELECT 1"))
        victims = await bench.listed()
        for victim in victims:
            await asyncio.to_thread(end_session, server, victim.id)
        await _gone(bench)
        errors = [failed for _ in range(ROUNDS * shape.size) if (failed := await _one(bench))]
        last = await asyncio.gather(*(_one(bench) for _ in range(shape.size)))
        leaks = [each for each in (await bench.leak(), await bench.close()) if each]
    return {
        "killed": len(victims),
        "errors": len(errors),
        "first_error": errors[0] if errors else "",
        "broken": sum(map(bool, last)),
        "leak": ", ".join(leaks),
    }


async def _gone(bench: Bench) -> None:
    """Return when the server has ended them all, or had the time to."""
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLE
    while await bench.listed() and loop.time() < until:  # noqa: ASYNC110 - the server does not tell
        await asyncio.sleep(0.02)


async def _one(bench: Bench) -> str:
    """Why a query through the pool failed; "" where it did not."""
    try:
        async with asyncio.timeout(CHECKOUT_SECONDS), bench.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        return str(failure_of(error))
    return ""
