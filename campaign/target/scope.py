"""What one simulated user knows as its requests are made: saved values, feed items, its number and luck."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2s
from random import Random
from typing import Any

from campaign.canary import mint_of
from campaign.errors import CampaignError
from campaign.target.fake import Fake
from campaign.target.feeds import Feed


class RenderError(CampaignError):
    """This request cannot be made from what its user knows.

    To a load run that is data (a missed expectation of the operation), never the end.
    """

    slug = "render"
    exit_code = 3


def type_of(value: object) -> str:
    """What kind of data it is: failures are told by that, as the value may be anybody's secret."""
    for kind, said in _TYPES.items():
        if isinstance(value, kind):
            return said
    return "null" if value is None else type(value).__name__


_TYPES = {
    bool: "true or false",
    str: "a text",
    int | float: "a number",
    Mapping: "a mapping",
    list | tuple: "a list",
}


class Scope:
    """One user's own values; random values depend on the seed and the user's number alone.

    `number` counts from 1 over all workers. `values` holds what the user's operations saved. A feed item is
    drawn at its first use in an iteration and stays the same until `next_iteration`. Scenarios that must not
    meet the same made-up people give different seeds (say, `f"{seed}/{scenario}"`).
    """

    __slots__ = (
        "_cursors", "_drawn", "_fake", "_feeds", "_random", "_seed",
        "iteration", "kind", "number", "values", "wall",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        kind: str = "",
        *,
        seed: int | str = 0,
        feeds: Mapping[str, Feed] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.number = number
        self.kind = kind
        self.iteration = 0
        self.values: dict[str, Any] = {}
        self.wall = wall
        self._seed = seed
        self._feeds = feeds or {}
        self._cursors: dict[str, Iterator[Any]] = {}
        self._drawn: list[str] = []
        self._random: Random | None = None
        self._fake: Fake | None = None

    @property
    def id(self) -> str:
        """The user's name in reports and requests, `user-7`."""
        return f"user-{self.number}"

    @property
    def canary(self) -> str:
        """A word that only this user's data may hold; the same in all scenarios of a run."""
        return mint_of(str(self._seed)).canary(str(self.number))

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """The feeds that its values come from, by name."""
        return self._feeds

    @property
    def random(self) -> Random:
        """This user's own generator (2.5 KB, so only made for a user that needs one)."""
        if self._random is None:
            self._random = Random(f"{self._seed}/{self.number}")
        return self._random

    @property
    def fake(self) -> Fake:
        """This user's own made-up data."""
        if self._fake is None:
            self._fake = Fake(self.random, tag=f"{_seed_tag(self._seed)}.{self.number}")
        return self._fake

    def next_iteration(self) -> None:
        """Begin the next round: feeds give their next items from here on."""
        self.iteration += 1
        for name in self._drawn:
            self.values.pop(name, None)
        self._drawn.clear()

    def draw(self, name: str) -> Any:
        """The feed item called `name` for this iteration. Raises RenderError where there is no such feed.

        Raises FeedExhaustedError when the feed has no item left.
        """
        cursor = self._cursors.get(name) or self._open(name)
        item = self.values[name] = next(cursor)
        self._drawn.append(name)
        return item

    def _open(self, name: str) -> Iterator[Any]:
        feed = self._feeds.get(name)
        if feed is None:
            raise RenderError(f"variable {name!r} has no value yet")
        cursor = self._cursors[name] = feed.cursor(self.number, lambda: self.random)
        return cursor


@lru_cache(maxsize=64)
def _seed_tag(seed: int | str) -> str:
    return blake2s(str(seed).encode(), digest_size=5).hexdigest()
