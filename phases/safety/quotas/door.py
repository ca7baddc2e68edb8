"""A door: where principals ask for a slot and give it back, whatever lies behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Said(StrEnum):
    """What came of asking. IMPROPER: refused, but not as the file says. ELSEWHERE: by another limit than the
    one that is tried. LOST: no answer.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    IMPROPER = "improper"
    ELSEWHERE = "elsewhere"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Entry:
    """One try to get a slot: `handle` gives it back, `why` says what was wrong, `exchange` is its id."""

    said: Said
    why: str = ""
    handle: Any = None
    exchange: str = ""


class Door(Protocol):
    """How slots are taken and given back. `user` is the place of a principal, from 0."""

    async def ask(self, users: Sequence[int]) -> list[Entry]:
        """One try by each of the users (one may stand there several times), all at the same moment."""

    async def leave(self, entry: Entry) -> str:
        """Give an accepted one back: "" or what went wrong."""

    async def count(self) -> int | None:
        """What the service itself counts; None where nobody can ask it."""


async def leave_all(door: Door, entries: Sequence[Entry]) -> list[str]:
    """Give all accepted ones back at once: what went wrong."""
    accepted = [each for each in entries if each.said is Said.ACCEPTED]
    told = await asyncio.gather(*(door.leave(each) for each in accepted))
    return [each for each in told if each]
