"""The commands that are sent, each on keys of ours, with what their answer must be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from phases.database.cache.settings import CommandName

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

LIFE_S = 3600
"""After so long our keys are gone, whatever becomes of us."""

_FEW = 10
_LONGEST_STREAM = 1000

COUNT_UP = "local n = redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], ARGV[1]) return n"


class WrongAnswerError(Exception):
    """Redis answered, but not what was stored."""


class Hand:
    """What one user works with: its connection, keys and values, and a channel of its own."""

    def __init__(self, client: Redis, prefix: str, *, keys: int, size: int, seed: str) -> None:
        self.client = client
        self.prefix = prefix
        self.random = Random(seed)
        self._keys = keys
        self._filling = "x" * size
        self._channel = f"{prefix}channel:{seed}"
        self._listener: PubSub | None = None

    def key(self, kind: str) -> str:
        """One of the keys of a kind."""
        return f"{self.prefix}{kind}:{self.random.randrange(self._keys)}"

    def value(self, key: str) -> str:
        """What is stored under a key, always the same."""
        return f"{key}={self._filling}"

    def check(self, key: str, answer: str | bytes | None) -> None:
        """Return where a value is not there or the right one. Raises WrongAnswerError."""
        if answer is not None and answer != self.value(key):
            raise WrongAnswerError("another value than the one stored under this key")

    async def listen(self) -> PubSub:
        """The subscription to the channel of its own."""
        if self._listener is None:
            self._listener = self.client.pubsub()
            await self._listener.subscribe(self._channel)
            await self._listener.get_message(timeout=1.0)
        return self._listener

    @property
    def channel(self) -> str:
        """Where it publishes, and listens."""
        return self._channel

    async def close(self) -> None:
        """Listen no more."""
        if self._listener is not None:
            await self._listener.aclose()  # type: ignore[no-untyped-call]
            self._listener = None


async def put(hand: Hand) -> None:
    """SET with an expiry."""
    key = hand.key("value")
    await hand.client.set(key, hand.value(key), ex=LIFE_S)


async def get(hand: Hand) -> None:
    """GET: nothing, or what was stored."""
    key = hand.key("value")
    hand.check(key, await hand.client.get(key))


async def get_many(hand: Hand) -> None:
    """MGET of a few."""
    keys = [hand.key("value") for _ in range(_FEW)]
    for key, answer in zip(keys, await hand.client.mget(keys), strict=True):
        hand.check(key, answer)


async def use_hash(hand: Hand) -> None:
    """HSET of a field, then HGETALL: it must be there."""
    key = hand.key("hash")
    field = str(hand.random.randrange(_FEW))
    async with hand.client.pipeline(transaction=True) as batch:
        batch.hset(key, field, hand.value(key))
        batch.expire(key, LIFE_S)
        batch.hgetall(key)
        *_, fields = await batch.execute()
    if fields.get(field) != hand.value(key):
        raise WrongAnswerError("a field that was just set is not in its hash")


async def use_list(hand: Hand) -> None:
    """LPUSH, LTRIM and LRANGE of a short list: what was pushed is its head."""
    key = hand.key("list")
    async with hand.client.pipeline(transaction=True) as batch:
        batch.lpush(key, hand.value(key))
        batch.ltrim(key, 0, _FEW - 1)
        batch.expire(key, LIFE_S)
        batch.lrange(key, 0, 0)
        *_, head = await batch.execute()
    if head != [hand.value(key)]:
        raise WrongAnswerError("what was just pushed is not the head of its list")


async def use_stream(hand: Hand) -> None:
    """XADD to a stream of bounded length, then its newest entry."""
    key = f"{hand.prefix}stream:{hand.random.randrange(_FEW)}"
    async with hand.client.pipeline(transaction=True) as batch:
        batch.xadd(key, {"said": hand.value(key)}, maxlen=_LONGEST_STREAM, approximate=True)
        batch.expire(key, LIFE_S)
        batch.xrevrange(key, count=1)
        added, _, newest = await batch.execute()
    if newest[0][0] != added:
        raise WrongAnswerError("the newest entry of a stream is not the one just added")


async def use_pipeline(hand: Hand) -> None:
    """A few SETs in one go."""
    async with hand.client.pipeline(transaction=False) as batch:
        for _ in range(_FEW):
            key = hand.key("value")
            batch.set(key, hand.value(key), ex=LIFE_S)
        await batch.execute()


async def expire(hand: Hand) -> None:
    """A key that lives for 50 ms must say so."""
    key = hand.key("brief")
    async with hand.client.pipeline(transaction=True) as batch:
        batch.set(key, "1", px=50)
        batch.pttl(key)
        _, left = await batch.execute()
    if not 0 <= left <= 50:
        raise WrongAnswerError("a key that was to expire within 50 ms does not")


async def run_script(hand: Hand) -> None:
    """A Lua script that counts up."""
    key = hand.key("count")
    if int(await hand.client.eval(COUNT_UP, 1, key, str(LIFE_S))) < 1:
        raise WrongAnswerError("a counter that was counted up is below 1")


async def publish(hand: Hand) -> None:
    """A message published and heard: the whole way round."""
    listener = await hand.listen()
    said = str(hand.random.random())
    await hand.client.publish(hand.channel, said)
    heard = await listener.get_message(timeout=1.0)
    if heard is None or heard["data"] != said:
        raise WrongAnswerError("a message that was published was not heard within 1 s")


Command: TypeAlias = Callable[[Hand], Awaitable[None]]
BY_NAME: Mapping[CommandName, Command] = {
    "set": put,
    "get": get,
    "mget": get_many,
    "hash": use_hash,
    "list": use_list,
    "stream": use_stream,
    "pipeline": use_pipeline,
    "expiry": expire,
    "lua": run_script,
    "pubsub": publish,
}
