"""A user of the load engine whose tasks are Redis commands."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from campaign.load.failure import ExchangeError
from campaign.load.life import Done, Life, Visit
from campaign.load.tally import ErrorKind
from phases.database.cache.commands import BY_NAME, Hand, WrongAnswerError
from phases.database.cache.settings import CommandName

if TYPE_CHECKING:
    from campaign.load.luck import Luck
    from campaign.load.session import Session


@dataclass(frozen=True, slots=True)
class Work:
    """What all users of a worker do: the commands of `mix` on keys below `prefix`, over one connection each.
    `timeout` in seconds, `size` the bytes of a value.
    """

    url: str
    prefix: str
    mix: dict[CommandName, float]
    keys: int
    size: int
    timeout: float
    commands: frozenset[str] = frozenset()


def make(options: Any) -> Callable[[Session, Visit, Luck], Life]:
    """What makes the behaviour of one such user; `options` is a Work."""
    work: Work = options
    chosen = [name for name, weight in work.mix.items() if weight]
    weights = list(accumulate(work.mix[name] for name in chosen))

    def enliven(session: Session, visit: Visit, luck: Luck) -> Life:
        return CacheLife(work, chosen, weights=weights, session=session, visit=visit, luck=luck)

    return enliven


class CacheLife:
    """One user: a connection of its own, and one command after the other."""

    __slots__ = ("_chosen", "_hand", "_luck", "_positions", "_session", "_visit", "_weights", "_work")

    def __init__(
        self, work: Work, chosen: list[CommandName], *, weights: list[float], session: Session,
        visit: Visit, luck: Luck,
    ) -> None:  # fmt: skip
        self._work = work
        self._chosen = chosen
        self._weights = weights
        self._session = session
        self._visit = visit
        self._luck = luck
        self._hand: Hand | None = None
        self._positions = [session.position(name) for name in chosen]

    async def start(self, due: int) -> Done:
        """A connection that has answered once."""
        await self._let_go()
        work = self._work
        # Two: what listens for messages has a connection of its own.
        pool = BlockingConnectionPool.from_url(
            work.url, decode_responses=True, max_connections=2, timeout=work.timeout,
            socket_timeout=work.timeout, socket_connect_timeout=work.timeout,
        )  # fmt: skip
        client = Redis.from_pool(pool)
        seed = str(self._session.scope.number)
        self._hand = Hand(client, work.prefix, keys=work.keys, size=work.size, seed=seed)
        try:
            await cast("Any", client.ping())
        except (RedisError, OSError) as error:
            failed = failure(error)
            self._session.keep(
                self._session.position("connect"), failed, due=due, began=due, done=self._visit.now()
            )
            return self._visit.now(), failed
        return self._visit.now(), None

    async def iterate(self, due: int) -> Done:
        """One command, chosen by weight."""
        hand = self._hand
        assert hand is not None  # noqa: S101 - started before
        number = min(bisect(self._weights, self._luck.share() * self._weights[-1]), len(self._chosen) - 1)
        watch = self._session.recorder.watch
        began = self._visit.now()
        watch.began(began)
        error: ExchangeError | None = None
        try:
            await BY_NAME[self._chosen[number]](hand)
        except (RedisError, OSError, WrongAnswerError) as raised:
            error = failure(raised)
        done = self._visit.now()
        (watch.answered if error is None or error.answered else watch.failed)(done)
        self._session.keep(self._positions[number], error, due=due, began=began, done=done)
        return done, error

    async def stop(self, due: int) -> Done:
        """Close the connection."""
        await self._let_go()
        return due, None

    async def _let_go(self) -> None:
        if self._hand is not None:
            hand, self._hand = self._hand, None
            await hand.close()
            await hand.client.aclose()


def failure(error: BaseException) -> ExchangeError:
    """How a command failed; a refusal by its first word (OOM, READONLY, MISCONF, WRONGTYPE ...)."""
    if isinstance(error, WrongAnswerError):
        return ExchangeError(ErrorKind.EXPECTATION, str(error), answered=True)
    if isinstance(error, RedisTimeoutError | TimeoutError):
        return ExchangeError(ErrorKind.TIMEOUT, "no answer in time")
    if isinstance(error, RedisConnectionError | OSError):
        return ExchangeError(ErrorKind.RESET, "connection lost or refused")
    return ExchangeError(ErrorKind.EXPECTATION, str(error).partition("\n")[0], answered=True)
