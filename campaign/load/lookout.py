"""Looks for other people's canaries in all that comes back, and makes some users hang up in mid-answer.

A connection that was given back with an unread answer shows the next user what was meant for the one who
left: that is why some must leave, and why it happens under load or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from campaign.canary import Mint
from campaign.load.recorder import Recorder
from campaign.load.tally import Sighting

MOST_KEPT = 20
"""Sightings of one worker that are told in full; the others are counted."""

ANSWERS, BYTES, SEEN, LEFT = "canaries.answers", "canaries.bytes", "canaries.seen", "canaries.left"
"""Counts: answers searched, their bytes, canaries of others in them, requests whose user hung up."""

FIRST_USUAL = 0.005
"""Seconds that an answer is taken to need before any came."""

MEMORY = 0.05
"""The share that one more answer has in what is usual."""


class Lookout:
    """Searches every answer of one worker; `leave` is the share of requests whose user hangs up."""

    def __init__(self, mint: Mint, recorder: Recorder, *, leave: float, seed: str) -> None:
        self._mint = mint
        self._recorder = recorder
        self._leave = leave
        self._luck = Random(f"{seed}/leaving")
        self._kept = 0
        self._usual = FIRST_USUAL

    def took(self, seconds: float) -> None:
        """An answer took so long: those who leave do so while theirs is under way."""
        self._usual += MEMORY * (seconds - self._usual)

    def search(self, data: bytes, own: str, *, tell: Callable[[str], Sighting]) -> None:
        """Search what one user was shown for canaries that are not its `own`."""
        recorder = self._recorder
        recorder.count(ANSWERS)
        recorder.count(BYTES, len(data))
        for canary in sorted(self._mint.found(data) - {own}):
            recorder.count(SEEN)
            if self._kept < MOST_KEPT:
                self._kept += 1
                recorder.sightings.append(tell(canary))

    def leaving(self) -> float | None:
        """In how many seconds the user of this request hangs up; None for most, who do not."""
        if not self._leave or self._luck.random() >= self._leave:
            return None
        return self._luck.uniform(0, self._usual)

    def left(self) -> None:
        """One has hung up."""
        self._recorder.count(LEFT)
