"""Which kinds of keys there are, and how many of each never expire: with SCAN, never KEYS, and bounded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis.asyncio import Redis

_BATCH = 500
_MOST_PATTERNS = 200
_FREQUENT = 3
_SEPARATORS = re.compile(r"([:/|])")
_VARIABLE = re.compile(r"(?=.*\d)[\w.@+=-]+|[0-9a-fA-F]{8,}|[\w+=-]{20,}|.*@.*")
"""A part of a key that differs from key to key: with a digit in it, hexadecimal, very long, or an address."""

OTHERS = "(others)"


@dataclass(slots=True)
class Group:
    """Keys of one pattern: how many were seen, how many of them never expire, and the shortest and longest
    time to live in seconds of the others.
    """

    pattern: str
    count: int = 0
    forever: int = 0
    shortest: float | None = None
    longest: float | None = None

    def add(self, ttl_ms: int) -> None:
        """Count a key with so many milliseconds to live; -1: it never expires."""
        self.count += 1
        if ttl_ms < 0:
            self.forever += 1
            return
        seconds = ttl_ms / 1000
        self.shortest = seconds if self.shortest is None else min(self.shortest, seconds)
        self.longest = seconds if self.longest is None else max(self.longest, seconds)

    def merge(self, other: Group) -> None:
        """Count all that `other` counted."""
        self.count += other.count
        self.forever += other.forever
        lives = [
            each for each in (self.shortest, self.longest, other.shortest, other.longest) if each is not None
        ]
        self.shortest, self.longest = min(lives, default=None), max(lives, default=None)


@dataclass(slots=True)
class Survey:
    """The keys that were seen, by pattern. `whole`: all were looked at; else `seen` of about `total`."""

    groups: dict[str, Group] = field(default_factory=dict)
    seen: int = 0
    total: int = 0
    whole: bool = False

    def patterns(self) -> list[Group]:
        """The groups, largest first. Rare ones that differ in their last part alone are one: such a part is
        a name, and names of children are nobody's business.
        """
        folded: dict[str, Group] = {}
        for group in self.groups.values():
            pattern = group.pattern if group.count >= _FREQUENT else _without_end(group.pattern)
            folded.setdefault(pattern, Group(pattern)).merge(group)
        return sorted(folded.values(), key=lambda each: -each.count)

    def add(self, key: str, ttl_ms: int) -> None:
        """Count a key; -2 says that it went meanwhile."""
        if ttl_ms == -2:
            return
        self.seen += 1
        pattern = pattern_of(key)
        if pattern not in self.groups and len(self.groups) >= _MOST_PATTERNS:
            pattern = OTHERS
        self.groups.setdefault(pattern, Group(pattern)).add(ttl_ms)


def pattern_of(key: str) -> str:
    """The key with `*` for what differs from key to key: `session:9f3a61c2` is `session:*`."""
    parts = _SEPARATORS.split(key[:200])
    return "".join("*" if _VARIABLE.fullmatch(part) else part for part in parts)


def _without_end(pattern: str) -> str:
    head = max(pattern.rfind(each) for each in ":/|")
    return f"{pattern[: head + 1]}*"


async def survey(client: Redis, *, most: int, until: Callable[[], bool], skip: str = "") -> Survey:
    """A look at up to `most` keys, ended early where `until` says so; keys that begin with `skip` are ours.

    Raises what redis-py raises.
    """
    found = Survey(total=int(await client.dbsize()))
    batch: list[Any] = []
    async for key in client.scan_iter(count=_BATCH):
        batch.append(key)
        if len(batch) >= _BATCH:
            await _add(client, found, batch, skip=skip)
            batch = []
            if found.seen >= most or until():
                return found
    await _add(client, found, batch, skip=skip)
    found.whole = True
    return found


async def _add(client: Redis, found: Survey, keys: list[Any], *, skip: str) -> None:
    names = [(key, _text(key)) for key in keys]
    foreign = [(key, name) for key, name in names if not (skip and name.startswith(skip))]
    async with client.pipeline(transaction=False) as pipeline:
        for key, _ in foreign:
            pipeline.pttl(key)
        lives = await pipeline.execute()
    for (_, name), ttl in zip(foreign, lives, strict=True):
        found.add(name, int(ttl))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
