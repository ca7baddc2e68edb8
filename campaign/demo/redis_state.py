"""The token cache and the counters in Redis, so that several processes could share them.

When Redis does not answer, the service goes on with this process's own memory and asks Redis again a
second later: a cache that is down must not take the service with it.
"""

import time
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from campaign.demo.defects import HANG_ON_OUTAGE, KEYS_WITHOUT_TTL
from campaign.demo.shared_state import CACHED_S, Cached, InProcess

ANSWER_WITHIN_S = 0.5
RETRY_AFTER_S = 1.0
REVOKED = "revoked"
TOKENS, TEXTS, COUNTERS = PREFIXES = ("teddy:token:", "teddy:text:", "teddy:count:")
"""How our keys begin."""

COUNT_WITH_END = """
local counted = redis.call('INCR', KEYS[1])
if counted == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return counted
"""
"""In one step, so that no counter is left without an end."""

COUNT_FOR_EVER = "return redis.call('INCR', KEYS[1])"


class AwayError(Exception):
    """Redis does not answer now."""


class InRedis:
    """Both kinds of state in Redis, every key with an end."""

    def __init__(self, url: str, *, defects: frozenset[str] = frozenset()) -> None:
        within_s = None if HANG_ON_OUTAGE in defects else ANSWER_WITHIN_S
        self._redis: Any = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=within_s,
            socket_connect_timeout=within_s,
            retry=Retry(NoBackoff(), 0),  # its own would hold up a request for seconds
        )
        self._own = InProcess()
        self._count = COUNT_FOR_EVER if KEYS_WITHOUT_TTL in defects else COUNT_WITH_END
        self._away_until = 0.0

    async def cached(self, token_digest: str) -> Cached | None:
        """What is known about this token; None: ask the database."""
        try:
            found = await self._ask("GET", _token_key(token_digest))
        except AwayError:
            return await self._own.cached(token_digest)
        return None if found is None else Cached(None if found == REVOKED else found)

    async def cache(self, token_digest: str, parent_id: str, *, seconds: float) -> None:
        """Remember whose token it is, unless it is known to be revoked."""
        try:
            await self._ask("SET", _token_key(token_digest), parent_id, "PX", _ms(seconds), "NX")
        except AwayError:
            await self._own.cache(token_digest, parent_id, seconds=seconds)

    async def revoke(self, token_digests: tuple[str, ...]) -> None:
        """Remember that these were revoked, in Redis and, should it be away, here."""
        await self._own.revoke(token_digests)
        try:
            for token_digest in token_digests:
                await self._ask("SET", _token_key(token_digest), REVOKED, "PX", _ms(CACHED_S))
        except AwayError:
            return  # what Redis still holds of them ends within CACHED_S

    async def count(self, key: str, *, window_s: int) -> int:
        """How often `key` was counted in the current window, this time included."""
        try:
            counted = await self._ask("EVAL", self._count, 1, _window_key(key, window_s), window_s + 1)
        except AwayError:
            return await self._own.count(key, window_s=window_s)
        return int(counted)

    async def uncount(self, key: str, *, window_s: int) -> None:
        """Take back one count."""
        try:
            await self._ask("DECR", _window_key(key, window_s))
        except AwayError:
            await self._own.uncount(key, window_s=window_s)

    async def recall(self, key: str) -> str | None:
        """The text kept under `key`; None where there is none."""
        try:
            found = await self._ask("GET", _text_key(key))
        except AwayError:
            return await self._own.recall(key)
        return None if found is None else str(found)

    async def keep(self, key: str, text: str) -> None:
        """Keep a text for `CACHED_S`."""
        try:
            await self._ask("SET", _text_key(key), text, "PX", _ms(CACHED_S))
        except AwayError:
            await self._own.keep(key, text)

    async def healthy(self) -> bool:
        """True if Redis answers."""
        try:
            return bool(await self._redis.execute_command("PING"))
        except (RedisError, OSError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _ask(self, *command: Any) -> Any:
        if self._away_until:
            if time.monotonic() < self._away_until:
                raise AwayError
            self._away_until = time.monotonic() + RETRY_AFTER_S  # this one asks, the others go on without
        try:
            answer = await self._redis.execute_command(*command)
        except (RedisError, OSError) as error:
            self._away_until = time.monotonic() + RETRY_AFTER_S
            raise AwayError from error
        self._away_until = 0.0
        return answer


def _token_key(token_digest: str) -> str:
    return f"{TOKENS}{token_digest}"


def _text_key(key: str) -> str:
    return f"{TEXTS}{key}"


def _window_key(key: str, window_s: int) -> str:
    return f"{COUNTERS}{key}:{int(time.time()) // window_s}"


def _ms(seconds: float) -> int:
    return max(1, int(min(seconds, CACHED_S) * 1000))
