"""Whether every key of Redis that should end has an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from campaign.cache.client import open_redis
from campaign.errors import CampaignError
from campaign.records import Severity
from phases.safety.probe import Answered, Probe

if TYPE_CHECKING:
    from phases.safety.scene import Scene

TTL = "retention.ttl"
MOST_KEYS = 50_000
ENDLESS = -1
"""What Redis says of a key without an end."""

REMEDY = "Set the end in the command that writes the key (SET ... EX), so that no crash comes in between."


async def expiring(scene: Scene) -> Probe:
    """What the keys of the declared patterns say."""
    severity, patterns = Severity.IMPORTANT, scene.settings.retention.expiring
    try:
        keys, endless = await _looked(scene.redis, patterns)
    except CampaignError as error:
        return Probe(TTL, severity, Answered.NOT_TESTED, str(error))
    shown = ", ".join(patterns)
    if endless:
        said = f"{len(endless)} of {keys} keys of {shown} have no end, {endless[0]} for one"
        return Probe(TTL, severity, Answered.FAILED, said, REMEDY)
    if not keys:
        return Probe(TTL, severity, Answered.NOT_TESTED, f"Redis has no key of {shown}")
    if keys > MOST_KEYS:
        said = f"Redis has more than {MOST_KEYS:,} keys of {shown}, and not all were read"
        return Probe(TTL, severity, Answered.NOT_TESTED, said)
    return Probe(TTL, severity, Answered.PASSED, f"all {keys} keys of {shown} have an end")


async def _looked(url: str, patterns: tuple[str, ...]) -> tuple[int, list[str]]:
    """How many keys there are, and those without an end. Raises CampaignError."""
    from redis.exceptions import RedisError  # noqa: PLC0415 - only where a cache is asked

    keys = 0
    endless: list[str] = []
    try:
        async with open_redis(url) as client:
            for pattern in patterns:
                async for key in client.scan_iter(match=pattern, count=500):
                    keys += 1
                    if keys > MOST_KEYS:
                        return keys, endless
                    if await client.ttl(key) == ENDLESS:
                        endless.append(str(key))
    except RedisError as error:
        raise CampaignError(f"Redis: {error}") from error
    return keys, endless
