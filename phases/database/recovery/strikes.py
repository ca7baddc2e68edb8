"""The disturbances themselves: sessions of our own ended by the server, commands of the user run."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import Table, insert, literal, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from campaign.database.server import Server, Session
from campaign.database.sessions import end_session, sessions
from campaign.ledger.writer import Ledger
from campaign.phase import Stop
from phases.database.recovery.commands import Ran, run_command, run_pair
from phases.database.recovery.pooled import Pooled, session_of
from phases.database.recovery.settings import RecoverySettings

IDLE = frozenset({"idle", "sleep"})
"""The servers' words for a session that waits for its client."""

GONE_SECONDS = 3.0
STOPPED_SECONDS = 1.0
"""How long a server stays stopped before it is started again."""

KILL_SECONDS = 20.0
"""Longer than this no killing takes."""

LOOKS = 20
"""How often we look for idle sessions."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a disturbance happens: the server, our pool in it, the ledger and the table of this trial."""

    server: Server
    pooled: Pooled
    ledger: Ledger
    table: Table
    trial: int
    settings: RecoverySettings
    stop: Stop


@dataclass(frozen=True, slots=True)
class Strike:
    """What was done. `killed` sessions were there, `gone` of them are no more in the server's own list."""

    killed: int = 0
    gone: int = 0
    commands: tuple[Ran, ...] = field(default=())


async def kill_idle(at: Field) -> Strike:
    """End all our sessions that idle in the writers' pool right now."""
    for _ in range(LOOKS):
        there = await asyncio.to_thread(sessions, at.server)
        idle = [each.id for each in there if _of_pool(each, at.pooled) and each.state.lower() in IDLE]
        if idle:
            return await asyncio.to_thread(_kill, at.server, idle)
    return Strike()


async def kill_in_transaction(at: Field) -> Strike:
    """End half of our sessions while each has written a row and not committed it."""
    async with asyncio.timeout(KILL_SECONDS), _in_transaction(at) as held:
        strike = await asyncio.to_thread(_kill, at.server, list(held))
        await asyncio.gather(*(_go_on(each, at) for each in held.values()))
    return strike


async def restart(at: Field) -> Strike:
    """Run the user's command that restarts the server."""
    command, timeout = at.settings.restart or "", at.settings.command_timeout
    return Strike(commands=(await asyncio.shield(asyncio.to_thread(run_command, command, timeout)),))


async def freeze(at: Field) -> Strike:
    """Run the user's two commands, with the time between them that the file says."""
    wanted = at.settings.freeze
    if wanted is None:
        return Strike()
    return await _pair(at, wanted.begin, wanted.end, seconds=wanted.seconds)


async def stop_start(at: Field) -> Strike:
    """Run the user's two commands, with a moment between them."""
    return await _pair(at, at.settings.stop or "", at.settings.start or "", seconds=STOPPED_SECONDS)


STRIKES: Mapping[str, Callable[[Field], Awaitable[Strike]]] = {
    "kill_idle": kill_idle,
    "kill_in_transaction": kill_in_transaction,
    "freeze": freeze,
    "restart": restart,
    "stop_start": stop_start,
}


async def _pair(at: Field, breaks: str, heals: str, *, seconds: float) -> Strike:
    """Both commands in one thread; when we are asked to stop the second one follows at once."""
    between = threading.Event()
    timeout = at.settings.command_timeout
    work = asyncio.create_task(
        asyncio.to_thread(run_pair, breaks, heals, between=between, seconds=seconds, timeout=timeout)
    )
    asked = asyncio.create_task(at.stop.wait())
    asked.add_done_callback(lambda _: between.set())
    try:
        return Strike(commands=tuple(await asyncio.shield(work)))
    finally:
        asked.cancel()
        between.set()
        if not work.done():
            await asyncio.shield(work)


def _of_pool(session: Session, pooled: Pooled) -> bool:
    """Whether the session is one of the writers' pool: ours by its mark, and one that the pool made."""
    return session.id in pooled.sessions and (session.own or session.application == pooled.tag)


def _kill(server: Server, numbers: Collection[int]) -> Strike:
    """End these sessions, and see that they are gone. Blocks."""
    killed = 0
    for number in numbers:
        with suppress(SQLAlchemyError):  # it may have ended by itself
            killed += end_session(server, number)
    until = time.monotonic() + GONE_SECONDS
    while left := {each.id for each in sessions(server)} & set(numbers):
        if time.monotonic() >= until:
            break
        time.sleep(0.02)
    return Strike(killed=killed, gone=len(numbers) - len(left))


@dataclass(frozen=True, slots=True)
class _Held:
    """A transaction that has written the row `number` and is not committed."""

    connection: AsyncConnection
    number: int


@asynccontextmanager
async def _in_transaction(at: Field) -> AsyncIterator[dict[int, _Held]]:
    """Transactions on half of the pool's connections, by session."""
    async with AsyncExitStack() as stack:
        held: dict[int, _Held] = {}
        for _ in range(max(1, at.settings.connections // 2)):
            connection = await stack.enter_async_context(at.pooled.engine.connect())
            raw = await connection.get_raw_connection()
            number = at.ledger.allot()
            at.ledger.sent(number)
            await connection.execute(insert(at.table), {"trial": at.trial, "id": number})
            held[session_of(raw.driver_connection)] = _Held(connection, number)
        yield held


async def _go_on(held: _Held, at: Field) -> None:
    """Go on with a transaction whose session was ended: its client learns of it, and never commits it."""
    with suppress(SQLAlchemyError, OSError):
        await held.connection.execute(select(literal(1)))
    at.ledger.refused(held.number)
    with suppress(SQLAlchemyError, OSError):
        await held.connection.rollback()
