"""Live conversations: so many at once, for everybody together and for each parent.

They are counted in this process, in one step each: nothing is awaited between the look and the taking, so
that the limits hold however many ask at the same moment.
"""

import time
from dataclasses import dataclass

from campaign.demo.defects import GLOBAL_LIMIT_OFF_BY_ONE
from campaign.demo.problems import NotFoundError, TooManyConversationsError
from campaign.demo.tokens import new_id

FORGOTTEN_S = 900.0
"""A conversation that nobody ends is ended after this time, unless we hold its connection."""

RETRY_AFTER_S = 2


@dataclass(frozen=True, slots=True)
class Taken:
    """A slot: whose it is, and until when (seconds of the monotonic clock)."""

    parent_id: str
    until: float


class Slots:
    """At most `everybody` conversations at once, and `each` of one parent."""

    def __init__(self, everybody: int, each: int, *, defects: frozenset[str] = frozenset()) -> None:
        self._most = everybody + 1 if GLOBAL_LIMIT_OFF_BY_ONE in defects else everybody
        self._each = each
        self._taken: dict[str, Taken] = {}

    @property
    def live(self) -> int:
        """How many there are now."""
        self._drop_forgotten()
        return len(self._taken)

    def of(self, parent_id: str) -> int:
        """How many this parent has now."""
        self._drop_forgotten()
        return sum(slot.parent_id == parent_id for slot in self._taken.values())

    def require(self, parent_id: str) -> None:
        """Return where this parent may begin one more; raises TooManyConversationsError."""
        if self.of(parent_id) >= self._each:
            raise TooManyConversationsError("you", retry_after_s=RETRY_AFTER_S)

    def take(self, parent_id: str, *, seconds: float = FORGOTTEN_S) -> str:
        """The id of a new conversation; raises TooManyConversationsError where a limit is reached."""
        self.require(parent_id)
        return self.add(parent_id, seconds=seconds)

    def add(self, parent_id: str, *, seconds: float = FORGOTTEN_S) -> str:
        """The same, without a look at what this parent has already."""
        if self.live >= self._most:
            raise TooManyConversationsError("everybody", retry_after_s=RETRY_AFTER_S)
        slot_id = new_id()
        self._taken[slot_id] = Taken(parent_id, time.monotonic() + seconds)
        return slot_id

    def give_back(self, parent_id: str, slot_id: str) -> None:
        """End a conversation; raises NotFoundError where this parent has no such one."""
        slot = self._taken.get(slot_id)
        if slot is None or slot.parent_id != parent_id:
            raise NotFoundError("there is no such live conversation")
        del self._taken[slot_id]

    def _drop_forgotten(self) -> None:
        now = time.monotonic()
        for slot_id in [each for each, slot in self._taken.items() if slot.until <= now]:
            del self._taken[slot_id]
