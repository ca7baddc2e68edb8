"""A Redis that does not let us in is told of in words that say what to change."""

import asyncio

import pytest
from servers import Redis

from campaign.cache.client import CacheAccessError, open_redis


@pytest.fixture(scope="module")
def locked():
    server = Redis(requirepass="honey")
    yield server
    server.end()


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("", "it asks for a password, and target.redis has none"),
        (":bees@", "the user or the password in target.redis is wrong"),
    ],
)
def test_a_password_that_is_missing_or_wrong_is_named_as_such(locked, who, said):
    async def ask():
        async with open_redis(f"redis://{who}127.0.0.1:{locked.port}/0"):
            pass

    with pytest.raises(CacheAccessError) as caught:
        asyncio.run(ask())
    assert str(caught.value).endswith(f"does not let us in: {said}")
