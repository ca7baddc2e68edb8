"""The contract of slots, tried on a door: one after the other, all at once, again, in bursts, in cycles.

What comes out are counts alone; what they mean is for the judge.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from campaign.clock import SECOND, Clock
from phases.safety.quotas.door import Door, Entry, Said, leave_all
from phases.safety.quotas.settings import SlotSettings

LOOK_AGAIN = 0.1
"""Seconds between two looks at the service's counter."""

SURPLUS = 50
"""At most so many more than the limit are asked for at once."""

PAUSE, TRIES = 0.25, 12
"""Seconds to wait, and how often, where another limit than the one that is tried holds a cycle up."""

REST, ROUNDS = 1.1, 4
"""The same for a round: longer than a second, the usual window of a limit on requests."""

REFUSED, ANOTHER = "refused though slots were free", "another limit"

AT_ONCE = 4
"""Cycles that run beside each other, where the limits allow it."""


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one round: how many asked, for how many there was `room`, and each outcome; `counted` is
    the service's own count while the slots were taken and `after` when all were given back; None: it was not
    asked.
    """

    asked: int
    room: int
    accepted: int = 0
    refused: int = 0
    improper: int = 0
    elsewhere: int = 0
    lost: int = 0
    counted: int | None = None
    after: int | None = None
    whys: dict[str, int] = field(default_factory=dict)
    not_left: list[str] = field(default_factory=list)
    exchanges: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """The round as JSON data."""
        return asdict(self)


@dataclass(slots=True)
class Contract:
    """Tries what the settings promise on a door. `keep` is given each result under its name."""

    door: Door
    settings: SlotSettings
    clock: Clock
    keep: Callable[[str, Any], None]
    stopping: Callable[[], bool]

    async def whole(self) -> None:
        """Everything, in turn; it ends early where slots are taken before we begin."""
        before = await self._settled(0)
        self.keep("before", before)
        if before:
            return
        one, all_ = self._one(), self._everybody()
        for name, users in (("each", one), ("everybody", all_)):
            if users and not self.stopping():
                self.keep(f"{name}_in_turn", (await self._in_turn(users)).plain())
                self.keep(name, [(await self._at_once(users)).plain() for _ in range(self.settings.rounds)])
        users = all_ or one
        bursts = self.settings.bursts
        if not self.stopping():
            burst = (users * bursts.size)[: bursts.size] if all_ else [0] * bursts.size
            self.keep("bursts", [(await self._at_once(burst)).plain() for _ in range(bursts.count)])
        if not self.stopping():
            self.keep("cycles", await self._cycles())
            self.keep("again", (await self._at_once(users)).plain())

    def _one(self) -> list[int]:
        """One user, more often than it may."""
        each = self.settings.per_user
        if each is None or (self.settings.limit is not None and self.settings.limit < each):
            return []
        return [0] * (each + min(2 * each + 2, SURPLUS))

    def _everybody(self) -> list[int]:
        """Users who all stay within their own limit, together more than may be."""
        if self.settings.limit is None:
            return []
        wanted = self.settings.limit + min(self.settings.limit, SURPLUS) + 1
        people = people_needed(self.settings)
        return [place % people for place in range(wanted)]

    async def _in_turn(self, users: Sequence[int]) -> Round:
        """One after the other, until one is not let in."""
        entries: list[Entry] = []
        for user in users:
            entries.append(await self._one_more(user))
            if entries[-1].said is not Said.ACCEPTED:
                break
        return await self._ended(entries, room=room_for(users, self.settings))

    async def _one_more(self, user: int) -> Entry:
        """One try; another limit than the one that is tried is waited for."""
        for _ in range(TRIES):
            entry = (await self.door.ask([user]))[0]
            if entry.said is not Said.ELSEWHERE:
                break
            await asyncio.sleep(PAUSE)
        return entry

    async def _at_once(self, users: Sequence[int]) -> Round:
        """All at once; once more where another limit was in the way, or may have been."""
        room = room_for(users, self.settings)
        for _ in range(ROUNDS):
            entries = await self.door.ask(users)
            round_ = await self._ended(entries, room=room)
            unclear = not self.settings.told_apart and round_.accepted < room
            if not round_.elsewhere and not unclear:
                break
            await asyncio.sleep(REST)
        return round_

    async def _ended(self, entries: list[Entry], *, room: int) -> Round:
        """Look at the counter, give everything back, and look again."""
        said = Counter(each.said for each in entries)
        accepted = said[Said.ACCEPTED]
        counted = await self._settled(accepted)
        not_left = await leave_all(self.door, entries)
        odd = [each for each in entries if each.said not in {Said.ACCEPTED, Said.REFUSED}]
        shown = [each.exchange for each in (*odd[:2], *entries[-2:]) if each.exchange]
        return Round(
            asked=len(entries),
            room=room,
            accepted=accepted,
            refused=said[Said.REFUSED],
            improper=said[Said.IMPROPER],
            elsewhere=said[Said.ELSEWHERE],
            lost=said[Said.LOST],
            counted=counted,
            after=await self._settled(0),
            whys=dict(Counter(each.why for each in odd).most_common(5)),
            not_left=not_left[:3],
            exchanges=list(dict.fromkeys(shown)),
        )

    async def _settled(self, wanted: int) -> int | None:
        """The service's count, once it is what it should be, or what it is after `settle` seconds."""
        until = self.clock.now_ns() + round(self.settings.settle * SECOND)
        while (now := await self.door.count()) is not None and now != wanted:
            if self.clock.now_ns() >= until:
                break
            await asyncio.sleep(LOOK_AGAIN)
        return now

    async def _cycles(self) -> dict[str, Any]:
        """Start and stop, over and over, by a few beside each other who are never over a limit."""
        lanes = min(AT_ONCE, self.settings.limit or AT_ONCE, self.settings.cycles)
        people = people_needed(self.settings)
        if self.settings.per_user is not None:
            lanes = min(lanes, self.settings.per_user * people)
        share = [len(range(lane, self.settings.cycles, lanes)) for lane in range(lanes)]
        began = self.clock.now_ns()
        told = await asyncio.gather(*(self._lane(lane % people, count) for lane, count in enumerate(share)))
        seconds = (self.clock.now_ns() - began) / SECOND
        troubles: Counter[str] = Counter()
        for each in told:
            troubles.update(each[1])
        done = sum(each[0] for each in told)
        return {
            "asked": self.settings.cycles,
            "done": done,
            "seconds": seconds,
            "whys": dict(troubles.most_common(5)),
            "after": await self._settled(0),
        }

    async def _lane(self, user: int, count: int) -> tuple[int, Counter[str]]:
        """How many of the cycles went well, and what was wrong with the others."""
        done, troubles = 0, Counter[str]()
        for _ in range(count):
            if self.stopping():
                break
            trouble = await self._cycle(user)
            done += not trouble
            troubles.update([trouble] if trouble else [])
        return done, troubles

    async def _cycle(self, user: int) -> str:
        entry = await self._one_more(user)
        if entry.said is Said.REFUSED and not self.settings.told_apart:
            await asyncio.sleep(REST)
            entry = await self._one_more(user)
        if entry.said is Said.ACCEPTED:
            return await self.door.leave(entry)
        return entry.why or (REFUSED if self.settings.told_apart else f"{REFUSED}, perhaps by {ANOTHER}")


def room_for(users: Sequence[int], settings: SlotSettings) -> int:
    """How many of these users' tries must be let in: each within its own limit, all within the other."""
    each = settings.per_user
    within = len(users) if each is None else sum(min(count, each) for count in Counter(users).values())
    return within if settings.limit is None else min(within, settings.limit)


def people_needed(settings: SlotSettings) -> int:
    """How many principals it takes so that none needs more than its own limit when all ask at once."""
    if settings.limit is None:
        return 1
    wanted = settings.limit + min(settings.limit, SURPLUS) + 1
    return -(-wanted // settings.per_user) if settings.per_user else min(wanted, 8)
