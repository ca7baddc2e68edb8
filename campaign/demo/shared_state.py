"""Short-lived state: which token is whose (a cache), and how many requests came in a window.

`InProcess` keeps both in this process; `redis_state` keeps them in Redis. The database remains the truth
about tokens: an entry lives for at most `CACHED_S`.
"""

import time
from dataclasses import dataclass
from typing import Protocol

CACHED_S = 30.0
MOST_ENTRIES = 50_000


@dataclass(frozen=True, slots=True)
class Cached:
    """An answer of the cache: `parent_id` is None when the token was revoked."""

    parent_id: str | None


class SharedState(Protocol):
    """What both stores can do."""

    async def cached(self, token_digest: str) -> Cached | None:
        """What is known about this token; None: ask the database."""

    async def cache(self, token_digest: str, parent_id: str, *, seconds: float) -> None:
        """Remember whose token it is, unless it is known to be revoked."""

    async def revoke(self, token_digests: tuple[str, ...]) -> None:
        """Remember that these were revoked, so that a lookup already under way cannot revive them."""

    async def count(self, key: str, *, window_s: int) -> int:
        """How often `key` was counted in the current window, this time included."""

    async def uncount(self, key: str, *, window_s: int) -> None:
        """Take back one count."""

    async def recall(self, key: str) -> str | None:
        """The text kept under `key`; None where there is none."""

    async def keep(self, key: str, text: str) -> None:
        """Keep a text for `CACHED_S`."""

    async def healthy(self) -> bool:
        """True if the store answers."""

    async def close(self) -> None:
        """Let go of connections."""


class InProcess:
    """Both kinds of state in dictionaries of bounded size."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[Cached, float]] = {}
        self._counts: dict[str, tuple[int, int]] = {}
        self._texts: dict[str, tuple[str, float]] = {}

    async def cached(self, token_digest: str) -> Cached | None:
        """What is known about this token; None: ask the database."""
        entry = self._tokens.get(token_digest)
        return entry[0] if entry is not None and entry[1] > time.monotonic() else None

    async def cache(self, token_digest: str, parent_id: str, *, seconds: float) -> None:
        """Remember whose token it is, unless it is known to be revoked."""
        if await self.cached(token_digest) is None:
            self._put(token_digest, Cached(parent_id), seconds=min(seconds, CACHED_S))

    async def revoke(self, token_digests: tuple[str, ...]) -> None:
        """Remember that these were revoked."""
        for token_digest in token_digests:
            self._put(token_digest, Cached(None), seconds=CACHED_S)

    async def count(self, key: str, *, window_s: int) -> int:
        """How often `key` was counted in the current window, this time included."""
        counted = self._counted(key, window_s) + 1
        if len(self._counts) >= MOST_ENTRIES:
            del self._counts[next(iter(self._counts))]  # the one least recently counted
        self._counts[key] = (_window_end(window_s), counted)
        return counted

    async def uncount(self, key: str, *, window_s: int) -> None:
        """Take back one count."""
        if counted := self._counted(key, window_s):
            self._counts[key] = (_window_end(window_s), counted - 1)

    async def recall(self, key: str) -> str | None:
        """The text kept under `key`; None where there is none."""
        entry = self._texts.get(key)
        return entry[0] if entry is not None and entry[1] > time.monotonic() else None

    async def keep(self, key: str, text: str) -> None:
        """Keep a text for `CACHED_S`."""
        if len(self._texts) >= MOST_ENTRIES:
            del self._texts[next(iter(self._texts))]
        self._texts[key] = (text, time.monotonic() + CACHED_S)

    async def healthy(self) -> bool:
        """Always true: it is this process."""
        return True

    async def close(self) -> None:
        """Nothing to let go of."""

    def _put(self, token_digest: str, entry: Cached, *, seconds: float) -> None:
        self._tokens.pop(token_digest, None)
        if len(self._tokens) >= MOST_ENTRIES:
            del self._tokens[next(iter(self._tokens))]  # the oldest
        self._tokens[token_digest] = (entry, time.monotonic() + seconds)

    def _counted(self, key: str, window_s: int) -> int:
        ends, counted = self._counts.pop(key, (0, 0))
        return counted if ends == _window_end(window_s) else 0


def _window_end(window_s: int) -> int:
    now = int(time.time())
    return now - now % window_s + window_s
