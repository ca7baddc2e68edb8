"""The demo's keys in a Redis that others may use too: what an earlier start left, what this one leaves."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from campaign.demo.options import UnusableOptionError
from campaign.demo.redis_state import COUNTERS, PREFIXES

ANSWER_WITHIN_S = 2.0
AT_ONCE = 500
ENDLESS = -1
"""What Redis says of a key that has no end."""


def delete_endless(url: str) -> None:
    """Delete the counters without an end that the defect keys-without-ttl has left.

    Nothing where Redis does not answer: the service does without it. Raises UnusableOptionError for a URL
    that is none.
    """
    with _asked(url) as redis:
        _delete(redis, _endless(redis, list(_found(redis, COUNTERS))))


def our_keys(url: str) -> frozenset[str]:
    """The keys that look like the demo's; none where Redis does not answer."""
    found: list[str] = []
    with _asked(url) as redis:
        found += (key for prefix in PREFIXES for key in _found(redis, prefix))
    return frozenset(found)


def delete_new(url: str, before: frozenset[str]) -> None:
    """Delete the keys that look like the demo's and were not there `before`."""
    with _asked(url) as redis:
        new = {key for prefix in PREFIXES for key in _found(redis, prefix)} - before
        _delete(redis, new)


@contextmanager
def _asked(url: str) -> Iterator[Any]:
    try:
        redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=ANSWER_WITHIN_S,
            socket_connect_timeout=ANSWER_WITHIN_S,
        )
    except ValueError as error:
        raise UnusableOptionError(f"cannot use Redis: {' '.join(str(error).split())}") from error
    with redis, suppress(RedisError, OSError):
        yield redis


def _found(redis: Any, prefix: str) -> Iterator[str]:
    yield from redis.scan_iter(f"{prefix}*", count=AT_ONCE)


def _endless(redis: Any, keys: list[str]) -> Iterator[str]:
    for begin in range(0, len(keys), AT_ONCE):
        some = keys[begin : begin + AT_ONCE]
        pipeline = redis.pipeline(transaction=False)
        for key in some:
            pipeline.pttl(key)
        left = pipeline.execute()
        yield from (key for key, each in zip(some, left, strict=True) if each == ENDLESS)


def _delete(redis: Any, keys: Iterable[str]) -> None:
    pipeline = redis.pipeline(transaction=False)
    for key in keys:
        pipeline.unlink(key)
        if len(pipeline) >= AT_ONCE:
            pipeline.execute()
    pipeline.execute()
