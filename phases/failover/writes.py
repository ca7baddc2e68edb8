"""Writes whose fate is known: each has a text of its own, and the ledger every step before we go on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2s
from pathlib import Path

from campaign.clock import SECOND, Clock
from campaign.ledger.book import Book, read_book
from campaign.ledger.writer import Ledger
from phases.failover.people import Exchange, Person
from phases.failover.settings import WriteSettings
from phases.failover.story import Ending

PREFIX = "campaign"
CONSONANTS = "bcdfghjklmnpqrtvwxz"
"""What marks are made of: they are no words, and no numbers that a filter would take for somebody's."""

MARK_LENGTH = 10
UNDECIDED = frozenset({408, 409, 425})
"""Refusals that do not say that nothing was done."""

CLIENT_ERRORS = range(400, 500)


def mark_of(*parts: object) -> str:
    """The mark of a scenario's writes: the same for the same parts."""
    digest = blake2s("/".join(map(str, parts)).encode()).digest()
    return "".join(CONSONANTS[each % len(CONSONANTS)] for each in digest[:MARK_LENGTH])


class Writer:
    """Sends the writes of one scenario and keeps their ledger; close it when the last has ended."""

    def __init__(
        self, settings: WriteSettings, persons: Sequence[Person], *, path: Path, mark: str, clock: Clock
    ) -> None:
        """Raises OSError where the ledger cannot be written."""
        self.mark = mark
        self._settings, self._persons, self._clock = settings, persons, clock
        self._path = path
        self._ledger = Ledger(path, clock)
        self._pattern = re.compile(rf"{PREFIX}-{mark}-n(\d{{1,9}})(?!\d)")

    def text(self, number: int) -> str:
        """What that write says."""
        return f"{PREFIX}-{self.mark}-n{number}"

    def person(self, number: int) -> Person:
        """Who does that write."""
        return self._persons[number % len(self._persons)]

    async def write(self, _: int) -> Exchange:
        """One write, with the tries that the campaign file allows; what came of the first of them.

        The ledger has them all: what a probe tells is how long the service took, not how patient we are.
        """
        number = self._ledger.allot()
        first = last = await self._try(number)
        retry = self._settings.retry
        for _again in range(retry.attempts if retry else 0):
            if not _worth_trying(last):
                break
            pause = round((retry.pause if retry else 0) * SECOND)
            await self._clock.sleep_until(self._clock.now_ns() + pause)
            last = await self._try(number)
        return first

    async def _try(self, number: int) -> Exchange:
        person = self.person(number)
        person.scope.next_iteration()
        self._ledger.sent(number)
        exchange = await person.do(self._settings.operation, values={"write": self.text(number)})
        if exchange.ok:
            self._ledger.acknowledged(number)
        elif _was_refused(exchange):
            self._ledger.refused(number)
        else:
            self._ledger.unanswered(number)
        return exchange

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()

    def book(self) -> Book:
        """What the ledger's file says. Raises OSError."""
        return read_book(self._path)

    def found_in(self, values: Iterable[str]) -> Counter[int]:
        """How often each write is in these texts: as all of a text where it is that, else within them.

        What quotes a write, as an answer to it may, is not that write once more.
        """
        whole: Counter[int] = Counter()
        within: Counter[int] = Counter()
        for value in values:
            for found in self._pattern.finditer(value):
                number = int(found[1])
                (whole if found[0] == value.strip() else within)[number] += 1
        return Counter({number: whole[number] or within[number] for number in {*whole, *within}})


def _was_refused(exchange: Exchange) -> bool:
    """Whether it is certain that nothing was done: it was never sent, or the service refused it by a 4xx.

    A 5xx is no such word: a service whose database was lost in the middle of a commit answers so too.
    """
    if exchange.ending in {Ending.UNSENT, Ending.REFUSED}:
        return True
    return (
        exchange.ending is Ending.STATUS
        and exchange.status in CLIENT_ERRORS
        and exchange.status not in UNDECIDED
    )


def _worth_trying(exchange: Exchange) -> bool:
    """What a client tries again: no answer at all, or one that asks to come back."""
    if exchange.ending is Ending.STATUS:
        return exchange.status >= 500 or exchange.status == 429
    return exchange.ending in {Ending.REFUSED, Ending.RESET, Ending.HUNG}
