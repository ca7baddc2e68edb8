"""The voices of the teddies: a few, shared by all, each of which says one thing at a time, piece by piece."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from campaign.demo.defects import MIXED_UP_ANSWERS

SPEAKING_S = 0.02
"""Seconds that a voice takes for a word."""

MOST_IDLE = 8


class Voice:
    """Says what it was given, a piece at a time."""

    def __init__(self) -> None:
        self._left: deque[str] = deque()
        self._first = True

    def give(self, pieces: Sequence[str]) -> None:
        """Have it say these pieces, after those that it has not said yet."""
        self._left.extend(pieces)
        self._first = True

    async def next(self) -> str:
        """The next piece, when it is spoken; "" where nothing is left."""
        if not self._first:
            await asyncio.sleep(SPEAKING_S)
        self._first = False
        return self._left.popleft() if self._left else ""

    @property
    def quiet(self) -> bool:
        """Whether it has said all."""
        return not self._left


class Voices:
    """Lends a voice to whoever speaks, and takes it back."""

    def __init__(self, *, defects: frozenset[str] = frozenset()) -> None:
        self._idle: deque[Voice] = deque()
        self._takes_all_back = MIXED_UP_ANSWERS in defects

    @asynccontextmanager
    async def speaking(self, pieces: Sequence[str]) -> AsyncIterator[Voice]:
        """A voice that says these pieces. One whose listener hung up has something left to say, and is let go
        of.
        """
        voice = self._idle.popleft() if self._idle else Voice()
        voice.give(pieces)
        try:
            yield voice
        finally:
            if (voice.quiet or self._takes_all_back) and len(self._idle) < MOST_IDLE:
                self._idle.append(voice)
