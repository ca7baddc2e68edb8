"""How many users are there and how many at work: the user-seconds of the hold, added up without a list of
users.
"""

from __future__ import annotations

from campaign.load.silence import Span


class Presence:
    """The users of one worker; moments in clock nanoseconds, never going back."""

    __slots__ = ("_at_work", "_credits", "_hold", "_since", "_worked_ns", "users")

    def __init__(self, hold: Span) -> None:
        self.users = 0
        self._hold = hold
        self._at_work = 0
        self._since = hold[0]
        self._worked_ns = 0
        self._credits: list[Span] = []

    def changes(self, by: int, now_ns: int) -> None:
        """One user more is at work (+1), or one less (-1)."""
        self._add_up(now_ns)
        self._at_work += by

    def credit(self, now_ns: int, until: int) -> None:
        """A user did all that it was asked for, before its time was over: that counts as if it had stayed."""
        begins, ends = max(now_ns, self._hold[0]), min(until, self._hold[1])
        if begins < ends:
            self._credits.append((begins, ends))
            self._worked_ns += ends - begins

    def take(self, now_ns: int) -> int:
        """User-nanoseconds at work in the hold since the last call; below 0 where a stop took any back."""
        self._add_up(now_ns)
        taken, self._worked_ns = self._worked_ns, 0
        return taken

    def stop(self, now_ns: int) -> None:
        """The hold ends now at the latest, as the run is stopped early."""
        self._add_up(now_ns)
        self._hold = (self._hold[0], min(self._hold[1], now_ns))
        self._worked_ns -= sum(max(0, ends - max(begins, now_ns)) for begins, ends in self._credits)
        self._credits.clear()

    def _add_up(self, now_ns: int) -> None:
        until = min(now_ns, self._hold[1])
        if until > self._since:
            self._worked_ns += self._at_work * (until - self._since)
            self._since = until
