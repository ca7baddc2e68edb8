"""What was there before a fault, and what is true after it: writes, sessions, connections, invariants."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace

from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import Kind
from campaign.database.server import Server
from campaign.database.sessions import foreign_sessions
from phases.failover.consistency import Outset, look_at_all, outset
from phases.failover.people import Person
from phases.failover.readback import in_database, read_back, through_api
from phases.failover.scene import Scene
from phases.failover.story import Readback, Story
from phases.failover.writes import CLIENT_ERRORS, Writer

TRIES, PAUSE = 5, 0.25
"""A server that came up just now is asked so often for its sessions, so many seconds apart."""

NO_DATABASE = "the target has no database (target.database)"


@dataclass(frozen=True, slots=True)
class Before:
    """What was there: users who are signed in, sessions of others in the database (None: not to be seen)."""

    sessions: int = 0
    pool: int | None = None
    outset: Outset = field(default_factory=Outset)


async def look_before(scene: Scene) -> Before:
    """How it is before a fault."""
    return Before(
        sessions=await _signed_in(scene) or 0,
        pool=await _pool_sessions(scene.server),
        outset=await outset(scene.server, scene.settings.consistency),
    )


async def look_after(scene: Scene, story: Story, *, before: Before, writer: Writer | None) -> Story:
    """The story with how it is now."""
    readbacks = await _read_back(scene, writer) if writer is not None else ()
    consistent = await look_at_all(
        scene.server,
        scene.settings.consistency,
        before.outset,
        person=scene.people.probing[0],
        clock=scene.context.clock,
    )
    return replace(
        story,
        readbacks=readbacks,
        consistent=consistent,
        sessions_after=await _signed_in(scene) if before.sessions else None,
        pool_sessions_after=await _pool_sessions(scene.server),
    )


async def _read_back(scene: Scene, writer: Writer) -> tuple[Readback, ...]:
    settings, clock = scene.settings.writes, scene.context.clock
    if settings is None:
        return ()
    try:
        book = writer.book()
    except OSError as error:
        return (Readback("api", None, f"the ledger cannot be read: {error.strerror}"),)
    found = []
    if settings.read is not None:
        specification = scene.context.vocabulary.operations[settings.read]
        look = through_api(writer, specification, book=book)
        found.append(await read_back("api", look, book=book, clock=clock))
    if settings.stored is not None and scene.server is None:
        found.append(Readback("database", None, NO_DATABASE))
    elif settings.stored is not None and scene.server is not None:
        look = in_database(writer, scene.server, settings.stored)
        found.append(await read_back("database", look, book=book, clock=clock))
    return tuple(found)


async def _signed_in(scene: Scene) -> int | None:
    """How many of those who signed in before are still known to the service; None where it does not say."""
    operation = scene.settings.probes.session
    if operation is None:
        return 0
    known = [await _is_known(each, operation) for each in scene.people.staying]
    return None if None in known else known.count(True)


async def _is_known(person: Person, operation: str) -> bool | None:
    """Whether the service knows them. One that is away has signed nobody out."""
    exchange = await person.surely(operation)
    if exchange.ok:
        return True
    return False if exchange.status in CLIENT_ERRORS else None


async def _pool_sessions(server: Server | None) -> int | None:
    """How many sessions others have in the database; None where it has no list, or does not answer."""
    if server is None or server.kind is Kind.SQLITE:
        return None
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(PAUSE)
        await asyncio.to_thread(server.engine.dispose)  # connections from before a fault are of no use
        with suppress(SQLAlchemyError, OSError):
            return len(await asyncio.to_thread(foreign_sessions, server))
    return None
