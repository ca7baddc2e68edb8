"""Each statement tried once before a run, so that a mistake in one is found at once and not run for ever."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from campaign.database.failure import Failure, FailureKind, failure_of
from campaign.load.luck import Luck
from campaign.target.feeds import open_feeds
from campaign.target.scope import Scope
from phases.database.running.pieces import Piece, Pieces
from phases.database.running.work import Work
from phases.database.running.workshop import Held, Workshop
from phases.database.scene import Scene

TRIAL_SECONDS = 1.0
"""How long one statement is tried; what takes longer has no mistake that a trial could find."""

ALL_SECONDS = 15.0
"""After so long no further statement is tried."""


async def refused(scene: Scene, work: Work) -> dict[str, Failure]:
    """What the server says of each pattern that cannot go well as it is written, by the pattern's name: words
    that it does not understand, names that it does not know, rights that we do not have.

    Whatever else goes wrong in a trial is left to the run. What a trial writes is rolled back.
    """
    found: dict[str, Failure] = {}
    workshop = Workshop(work)
    pieces = Pieces(work, workshop)
    with suppress(TimeoutError):
        async with asyncio.timeout(ALL_SECONDS):
            for piece in pieces.all:
                if scene.stopping:
                    break
                failure = await _tried(piece, workshop, scene) if piece.queries else None
                if failure is not None and _is_mistake(failure):
                    found[piece.name] = failure
    return found


async def _tried(piece: Piece, workshop: Workshop, scene: Scene) -> Failure | None:
    """How the pattern failed, on a connection of its own; None where it went well or nobody can say."""
    try:
        held = await workshop.take()
    except Exception:  # noqa: BLE001 - the run will say that nobody can connect
        return None
    try:
        async with asyncio.timeout(TRIAL_SECONDS):
            return await _failure(piece, held, scene)
    except TimeoutError:
        with suppress(Exception):
            await held.link.abandon()
        return None
    finally:
        with suppress(Exception):
            await held.drop()
        await workshop.give_back()


async def _failure(piece: Piece, held: Held, scene: Scene) -> Failure | None:
    feeds = open_feeds(scene.context.vocabulary.feeds, worker=0, workers=1)
    scope, luck = Scope(1, seed=scene.context.seed, feeds=feeds), Luck(scene.context.seed, 1)
    try:
        drawn = [(query, query.draw(luck, scope)) for query in piece.queries]
    except Exception:  # noqa: BLE001 - a value that cannot be drawn is told of by the run
        return None
    try:
        for command in piece.opening:
            await held.link.say(command)
        for query, args in drawn:
            await held.link.ask(query, args)
    except Exception as error:  # noqa: BLE001 - whatever a driver raises
        return failure_of(error)
    finally:
        for command in piece.undoing:
            with suppress(Exception):
                await held.link.say(command)
    return None


def _is_mistake(failure: Failure) -> bool:
    """Whether it fails each time, whatever the rows and the parameters: by its SQLSTATE or SQLite's name."""
    return failure.kind is FailureKind.ACCESS or (
        failure.kind is FailureKind.OTHER and failure.code.startswith(("42", "0A", "SQLITE_ERROR"))
    )


def told(failure: Failure) -> dict[str, Any]:
    """A refusal as plain data."""
    access = failure.kind is FailureKind.ACCESS
    what = "is refused to this account" if access else "has a mistake in its statement"
    return {"what": what, "said": str(failure)}
