"""A connection to the target's Redis, checked once, with bounded waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from campaign.errors import ConfigurationError, TargetUnreachableError

if TYPE_CHECKING:
    from redis.asyncio import Redis

SECONDS = 5.0
"""How long a command, or a connection, may take."""


class CacheAccessError(ConfigurationError):
    """Redis is there and does not let us in, or its URL cannot be used."""

    slug = "cache-access"


@asynccontextmanager
async def open_redis(url: str, *, timeout: float = SECONDS) -> AsyncIterator[Redis]:  # noqa: ASYNC109 - of each command
    """The Redis at `url`, which has answered; texts come as `str`. It is closed at the end.

    Raises CacheAccessError where it does not let us in, TargetUnreachableError where it is not there.
    """
    from redis.asyncio import Redis  # noqa: PLC0415 - only where a cache is asked

    try:
        client = Redis.from_url(
            url, decode_responses=True, socket_timeout=timeout, socket_connect_timeout=timeout,
            encoding_errors="replace",
        )  # fmt: skip
    except ValueError as error:
        raise CacheAccessError(f"target.redis is no URL of a Redis: {error}") from None
    try:
        await _greet(client, url)
        yield client
    finally:
        await client.aclose()


async def _greet(client: Redis, url: str) -> None:
    from redis.exceptions import AuthenticationError, ResponseError  # noqa: PLC0415
    from redis.exceptions import ConnectionError as Gone  # noqa: PLC0415
    from redis.exceptions import TimeoutError as Late  # noqa: PLC0415

    where = shown(url)
    try:
        await cast("Any", client.ping())
    except (AuthenticationError, ResponseError) as error:
        raise CacheAccessError(f"the Redis {where} does not let us in: {_refusal(error)}") from None
    except (Gone, Late, OSError) as error:
        raise TargetUnreachableError(f"the Redis {where} does not answer: {error}") from None


def _refusal(error: Exception) -> str:
    """What Redis said; of passwords in our words, as its own speak of a command that nobody gave."""
    from redis.exceptions import AuthenticationError  # noqa: PLC0415

    said = str(error)
    if "HELLO must be called" in said or "NOAUTH" in said or "Authentication required" in said:
        return "it asks for a password, and target.redis has none"
    if isinstance(error, AuthenticationError) or "WRONGPASS" in said:
        return "the user or the password in target.redis is wrong"
    return said


def shown(url: str) -> str:
    """The URL without a password."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"{parts.username or ''}:***@{host}{port}", query="").geturl()
