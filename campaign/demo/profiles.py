"""How a child's profile is looked up: in the database each time, or in a cache before (a defect)."""

import json
from dataclasses import asdict
from typing import Protocol

from fastapi.concurrency import run_in_threadpool

from campaign.demo.children import Child, Children
from campaign.demo.shared_state import SharedState


class Profiles(Protocol):
    """Where a profile comes from."""

    async def one(self, parent_id: str, child_id: str) -> Child:
        """The child; raises NotFoundError if it is not there or not this parent's."""


class StoredProfiles:
    """Straight from the database."""

    def __init__(self, children: Children) -> None:
        self._children = children

    async def one(self, parent_id: str, child_id: str) -> Child:
        """The child as it is now."""
        return await run_in_threadpool(self._children.one, parent_id, child_id)


class CachedProfiles:
    """From a cache that lives for `CACHED_S`; whoever changes a child does not know of it (`stale-cache`)."""

    def __init__(self, stored: Profiles, state: SharedState) -> None:
        self._stored = stored
        self._state = state

    async def one(self, parent_id: str, child_id: str) -> Child:
        """The child as it was when it was last read."""
        key = f"child:{parent_id}:{child_id}"
        if (kept := await self._state.recall(key)) is not None:
            return Child(**json.loads(kept))
        child = await self._stored.one(parent_id, child_id)
        await self._state.keep(key, json.dumps(asdict(child)))
        return child
