"""What killed runs left behind in the target's stores, found by its mark and taken away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from campaign.errors import CampaignError, ConfigurationError
from campaign.target.owner import Owner
from campaign.target.spec import TargetSpec

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from campaign.database.address import Address

FORGOTTEN = 24 * 3600.0
"""Seconds after which a place made on another machine, of which we cannot know, counts as left behind."""

REDIS_SECONDS = 10
"""How long a Redis may take to answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place of ours and what became of it: `kept` is why it was left, "" where it was dropped."""

    name: str
    owner: Owner
    kept: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of everything of ours in one store; `trouble` is why it could not be looked at, or "".

    `store` is "database" or "redis".
    """

    store: str
    places: tuple[Place, ...] = ()
    trouble: str = ""

    @property
    def troubles(self) -> tuple[str, ...]:
        """What should have been done and could not be."""
        failed = tuple(each.kept for each in self.places if each.kept.startswith(FAILED))
        return (self.trouble, *failed) if self.trouble else failed


FAILED = "it could not be dropped"


@dataclass(frozen=True, slots=True)
class Broom:
    """How to clean: `everything` takes also what may be in use, `dry_run` takes nothing."""

    everything: bool = False
    dry_run: bool = False

    async def sweep(
        self, found: dict[str, Owner], drop: Callable[[str], Awaitable[str]]
    ) -> tuple[Place, ...]:
        """What became of each place; `drop` says why it could not, "" where it could."""
        return tuple(
            [Place(name, owner, await self._one(name, owner, drop)) for name, owner in found.items()]
        )

    async def _one(self, name: str, owner: Owner, drop: Callable[[str], Awaitable[str]]) -> str:
        why = "" if self.everything else may_be_used(owner)
        if why or self.dry_run:
            return why
        failed = await drop(name)
        return f"{FAILED}: {failed}" if failed else ""


async def clean(target: TargetSpec, broom: Broom) -> tuple[Cleaned, ...]:
    """What became of all that is ours in the target's stores; the guard was asked before.

    Raises ConfigurationError where the target has no store.
    """
    ways = {"database": _clean_database, "redis": _clean_redis}
    stores = [(name, url) for name, url in target.stores.items() if name in ways]
    if not stores:
        raise ConfigurationError(
            "there is nothing to clean: the campaign file names no database and no Redis\n"
            "  allowed  target.database, target.redis, --database-url, --redis-url"
        )
    return tuple([await _contained(name, ways[name](url, broom)) for name, url in stores])


def may_be_used(owner: Owner) -> str:
    """Why a place with this owner may still be in use; "" where its run is gone."""
    if owner.alive:
        return f"{owner} still runs"
    if not owner.host:
        return "it does not say whose it is, as while it is being made; --all drops it"
    if owner.elsewhere and time.time() - owner.began < FORGOTTEN:
        return f"{owner} made it less than 24 hours ago, and may still run"
    return ""


async def _contained(store: str, cleaning: Awaitable[tuple[Place, ...]]) -> Cleaned:
    try:
        return Cleaned(store, await cleaning)
    except CampaignError as error:
        return Cleaned(store, trouble=str(error))


async def _clean_database(url: str, broom: Broom) -> tuple[Place, ...]:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - only where there is a database

    from campaign.database.address import read_address  # noqa: PLC0415
    from campaign.database.failure import failure_of  # noqa: PLC0415
    from campaign.database.server import APPLICATION, open_server  # noqa: PLC0415
    from campaign.database.territory import drop, places  # noqa: PLC0415

    address = read_address(url)
    _check_file(address)
    server = await asyncio.to_thread(open_server, address, tag=APPLICATION)

    async def drop_one(name: str) -> str:
        try:
            await asyncio.to_thread(drop, server, name)
        except SQLAlchemyError as error:
            return str(failure_of(error))
        return ""

    try:
        return await broom.sweep(await asyncio.to_thread(places, server), drop_one)
    except SQLAlchemyError as error:
        raise ConfigurationError(
            f"the database {address.shown} cannot be read: {failure_of(error)}"
        ) from error
    finally:
        await asyncio.to_thread(server.close)


def _check_file(address: Address) -> None:
    """Opening a SQLite file that is not there would make it."""
    from campaign.database.address import Kind  # noqa: PLC0415

    name = address.control.database
    if address.kind is Kind.SQLITE and not (name and Path(name).is_file()):
        raise ConfigurationError(f"the database {address.shown} is not there: no such file")


async def _clean_redis(url: str, broom: Broom) -> tuple[Place, ...]:
    from redis.exceptions import RedisError  # noqa: PLC0415 - only where there is a Redis

    from campaign.cache.territory import drop, places  # noqa: PLC0415

    client = _redis(url)

    async def drop_one(name: str) -> str:
        try:
            await drop(client, name)
        except (RedisError, OSError) as error:
            return _first_line(error)
        return ""

    try:
        return await broom.sweep(await places(client), drop_one)
    except (RedisError, OSError) as error:
        raise ConfigurationError(f"Redis at {_shown(url)} cannot be used: {_first_line(error)}") from error
    finally:
        await client.aclose()


def _redis(url: str) -> Redis:
    from redis.asyncio import Redis  # noqa: PLC0415

    try:
        return Redis.from_url(
            url, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS, max_connections=2
        )
    except ValueError as error:
        raise ConfigurationError(f"target.redis is no URL of a Redis: {error}") from error


def _shown(url: str) -> str:
    """The URL without what opens it."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
