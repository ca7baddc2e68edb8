"""What Redis says of itself (INFO, SLOWLOG) at one moment, and what happened between two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis.asyncio import Redis

SLOWEST = 10
"""Entries of the slow log that are kept."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that the data take (`used`), that the process holds (`resident`), and the limit (0: none).
    `fragmentation` is resident / used. `policy` says what happens at the limit.
    """

    used: int
    resident: int
    limit: int
    fragmentation: float
    policy: str


@dataclass(frozen=True, slots=True)
class Counters:
    """What Redis has counted since it was started, or since its statistics were reset."""

    hits: int
    misses: int
    commands: int
    evicted: int
    expired: int
    refused: int
    errors: int

    def since(self, before: Counters) -> Counters:
        """What came between; after a restart the counters began anew, and all of them are new."""
        if self.commands < before.commands:
            return self
        pairs = ((getattr(self, name), getattr(before, name)) for name in Counters.__slots__)
        return Counters(*(now - then for now, then in pairs))

    def plus(self, more: Counters) -> Counters:
        """Both together."""
        return Counters(*(getattr(self, name) + getattr(more, name) for name in Counters.__slots__))

    @property
    def hit_ratio(self) -> float | None:
        """The share of lookups that found a key; None where nothing was looked up."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None


@dataclass(frozen=True, slots=True)
class Persistence:
    """Whether and how data survive a restart: `snapshots` is the `save` setting, `fsync` that of the
    append-only file. `last_save_ok` and `last_write_ok` are Redis's own words.
    """

    snapshots: str
    append_only: bool
    fsync: str
    last_save_ok: bool
    last_write_ok: bool


@dataclass(frozen=True, slots=True)
class CacheView:
    """Redis at one moment. `uptime` in seconds; `clients` and `blocked` are connections."""

    version: str
    role: str
    run: str
    uptime: int
    clients: int
    blocked: int
    memory: Memory
    counters: Counters
    persistence: Persistence


@dataclass(frozen=True, slots=True)
class SlowCommand:
    """An entry of the slow log: `number` grows by one each time, `seconds` is the time in the server."""

    number: int
    seconds: float
    command: str


async def look(client: Redis) -> CacheView:
    """What Redis shows now. Raises what redis-py raises."""
    info: Mapping[str, Any] = await client.info()
    settings = await _settings(client)
    return CacheView(
        version=str(info.get("redis_version", "?")),
        role=str(info.get("role", "?")),
        run=str(info.get("run_id", "")),
        uptime=int(info.get("uptime_in_seconds", 0)),
        clients=int(info.get("connected_clients", 0)),
        blocked=int(info.get("blocked_clients", 0)),
        memory=_memory(info),
        counters=_counters(info),
        persistence=_persistence(info, settings),
    )


async def slow_log(client: Redis, *, after: int = -1) -> list[SlowCommand]:
    """The slowest of the slow log's entries with a number above `after`; empty where it may not be read."""
    from redis.exceptions import ResponseError  # noqa: PLC0415

    try:
        entries = await client.slowlog_get(128)
    except ResponseError:
        return []
    found = [
        SlowCommand(int(each["id"]), int(each["duration"]) / 1e6, _text(each["command"]))
        for each in entries
        if int(each["id"]) > after
    ]
    return sorted(found, key=lambda each: -each.seconds)[:SLOWEST]


def _memory(info: Mapping[str, Any]) -> Memory:
    return Memory(
        used=int(info.get("used_memory", 0)),
        resident=int(info.get("used_memory_rss", 0)),
        limit=int(info.get("maxmemory", 0)),
        fragmentation=float(info.get("mem_fragmentation_ratio", 0.0)),
        policy=str(info.get("maxmemory_policy", "?")),
    )


def _counters(info: Mapping[str, Any]) -> Counters:
    return Counters(
        hits=int(info.get("keyspace_hits", 0)),
        misses=int(info.get("keyspace_misses", 0)),
        commands=int(info.get("total_commands_processed", 0)),
        evicted=int(info.get("evicted_keys", 0)),
        expired=int(info.get("expired_keys", 0)),
        refused=int(info.get("rejected_connections", 0)),
        errors=int(info.get("total_error_replies", 0)),
    )


def _persistence(info: Mapping[str, Any], settings: Mapping[str, str]) -> Persistence:
    return Persistence(
        snapshots=settings.get("save", "?"),
        append_only=bool(int(info.get("aof_enabled", 0))),
        fsync=settings.get("appendfsync", "?"),
        last_save_ok=info.get("rdb_last_bgsave_status", "ok") == "ok",
        last_write_ok=info.get("aof_last_write_status", "ok") == "ok",
    )


async def _settings(client: Redis) -> Mapping[str, str]:
    """The settings of persistence; hosted services often forbid to ask."""
    from redis.exceptions import ResponseError  # noqa: PLC0415

    try:
        found = await client.config_get("save", "appendfsync")
    except ResponseError:
        return {}
    return {_text(name): _text(value) for name, value in found.items()}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
