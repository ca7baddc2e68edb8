"""Rate limits: at most so many in each fixed window of time, exactly."""

import time

from campaign.demo.problems import TooManyRequestsError
from campaign.demo.shared_state import SharedState


class RateLimit:
    """At most `limit` for each key in each window of `window_s` whole seconds of the wall clock."""

    def __init__(self, state: SharedState, *, name: str, limit: int, window_s: int) -> None:
        self._state = state
        self._name = name
        self._limit = limit
        self._window_s = window_s

    async def take(self, key: str) -> None:
        """Count one; raises TooManyRequestsError if it is one too many."""
        counted = await self._state.count(f"{self._name}:{key}", window_s=self._window_s)
        if counted > self._limit:
            left_s = self._window_s - int(time.time()) % self._window_s
            raise TooManyRequestsError("too many requests, please wait", retry_after_s=left_s)

    async def give_back(self, key: str) -> None:
        """Undo one `take`."""
        await self._state.uncount(f"{self._name}:{key}", window_s=self._window_s)
