"""Which item of a data feed a user gets next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from random import Random
from typing import Any

from campaign.errors import CampaignError, ConfigurationError
from campaign.target.spec import FeedSpec


class FeedExhaustedError(CampaignError):
    """A feed that gives each item once has none left; the user that asked stops, the others go on."""

    slug = "feed-exhausted"
    exit_code = 3


class Feed:
    """One feed in one worker: makes the cursor that a user reads it by."""

    __slots__ = ("_left", "_spec")

    def __init__(self, spec: FeedSpec, *, worker: int = 0, workers: int = 1) -> None:
        if not spec.values:
            raise ConfigurationError(f"data feed {spec.name!r} holds no values")
        self._spec = spec
        self._left = _handed_out_once(spec, worker=worker, workers=workers)

    def cursor(self, user: int, random: Callable[[], Random]) -> Iterator[Any]:
        """The items for `user` (from 1), in the feed's order; `random` gives that user's generator."""
        if self._spec.order == "once":
            return iter(self._next_left, object())
        if self._spec.order == "per_user":
            return repeat(self._spec.values[(user - 1) % len(self._spec.values)])
        if self._spec.order == "random":
            return iter(lambda: random().choice(self._spec.values), object())
        return _in_turn(self._spec.values, start=user - 1)

    def _next_left(self) -> Any:
        for item in self._left:
            return item
        raise FeedExhaustedError(f"data feed {self._spec.name!r} has no item left")


def open_feeds(specs: Mapping[str, FeedSpec], *, worker: int = 0, workers: int = 1) -> dict[str, Feed]:
    """The feeds of one worker by name; feeds given once are dealt out to the workers like cards.

    Raises ConfigurationError for an empty feed.
    """
    return {name: Feed(spec, worker=worker, workers=workers) for name, spec in specs.items()}


def _handed_out_once(spec: FeedSpec, *, worker: int, workers: int) -> Iterator[Any]:
    return (spec.values[index] for index in range(worker, len(spec.values), workers))


def _in_turn(values: tuple[Any, ...], *, start: int) -> Iterator[Any]:
    position = start
    while True:
        yield values[position % len(values)]
        position += 1
