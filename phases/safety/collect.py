"""Makes the cast, runs the parts one after the other, and lets everybody leave again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from campaign.database.address import read_address
from campaign.database.failure import failure_of
from campaign.database.server import Server, open_server, tag_of
from campaign.errors import CampaignError
from campaign.phase import PhaseContext
from campaign.redact import Redactor
from phases.safety.cast.making import Cast, gathered
from phases.safety.exchange import Exchanges
from phases.safety.parts import asked
from phases.safety.rules import MAPPING
from phases.safety.rules import RULES as ALL_RULES
from phases.safety.scene import EXCHANGES, TROUBLE, Part, Scene
from phases.safety.settings import SafetySettings

CAST = "cast"
"""The fact on the principals: how many were `made`, `troubles` of those that were not, and who is `left`."""


RULES = "rules"
"""The fact that says which checks speak to which rules, and what none of them proves."""


def book_of_rules() -> dict[str, Any]:
    """The rules and the mapping as JSON data, for the page."""
    rules = [{"name": rule.name, "asks": rule.asks, "cannot": rule.cannot} for rule in ALL_RULES.values()]
    return {"rules": rules, "mapping": [[begins, list(names)] for begins, names in MAPPING]}


async def run_parts(context: PhaseContext) -> None:
    """Run every part that is asked for and that the file maps something to."""
    settings: SafetySettings = context.settings
    parts = [part for part in asked(settings) if part.wanted(settings)]
    exchanges = Exchanges(Redactor(context.target.secrets))
    made: Cast | None = None
    async with _server(context) as server:
        async with gathered(context, settings, exchanges) as cast:
            made = cast
            _record_cast(context, cast)
            scene = Scene(context, settings, cast, exchanges, server, context.target.stores.get("redis", ""))
            whole = sum(part.seconds(settings) for part in parts) or 1.0
            for part in parts:
                if scene.stopping:
                    break
                scene.part_share = part.seconds(settings) / whole
                scene.tell(part.name)
                await _contained(part, scene)
                scene.share += scene.part_share
        _record_cast(context, made, over=True)
    context.record.fact(EXCHANGES, exchanges.plain())
    context.record.fact(RULES, book_of_rules())


def _record_cast(context: PhaseContext, cast: Cast, *, over: bool = False) -> None:
    left = {each.name: "; ".join(each.undone) for each in cast.people if each.undone}
    people = [{"name": each.name, "role": each.role, "family": each.family} for each in cast.people]
    fact = {"made": len(cast.people), "people": people, "troubles": cast.troubles}
    context.record.fact(CAST, {**fact, "left": left} if over else fact)


async def _contained(part: Part, scene: Scene) -> None:
    """Run one part; what it raises is recorded as its trouble."""
    try:
        await part.collect(scene)
    except CampaignError as error:
        _record_trouble(scene, part, str(error))
    except (SQLAlchemyError, OSError) as error:
        _record_trouble(scene, part, str(failure_of(error)))
    except Exception as error:  # noqa: BLE001 - the other parts are worth having all the same
        _record_trouble(scene, part, f"it broke off: {type(error).__name__}: {failure_of(error).text}")


def _record_trouble(scene: Scene, part: Part, why: str) -> None:
    scene.troubles[part.name] = why
    scene.context.record.fact(TROUBLE, scene.troubles)


@asynccontextmanager
async def _server(context: PhaseContext) -> AsyncIterator[Server | None]:
    url = context.target.stores.get("database", "")
    if not url:
        yield None
        return
    server = await asyncio.to_thread(open_server, read_address(url), tag=tag_of(f"{context.seed:08x}"[:8]))
    try:
        yield server
    finally:
        await asyncio.to_thread(server.close)
