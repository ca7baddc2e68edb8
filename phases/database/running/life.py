"""One user of a run: a connection of its own, and one pattern after the other on it."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from campaign.database.failure import RETRIED, Failure, FailureKind, failure_of
from campaign.load.failure import ExchangeError
from campaign.load.life import Done, Enliven, Life, Visit
from campaign.load.luck import Luck
from campaign.load.tally import UNSENT, ErrorKind, ErrorSample
from campaign.load.timeouts import Timeouts
from campaign.target.expression import TemplateError
from campaign.target.feeds import FeedExhaustedError
from campaign.target.scope import RenderError
from phases.database.running.drawing import Dice
from phases.database.running.pieces import Piece, Pieces
from phases.database.running.work import TooLargeError, Work
from phases.database.running.workshop import Held, Workshop

if TYPE_CHECKING:
    from campaign.load.session import Session

CONNECT = "connect"
"""The operation under which failed connections are counted where no pattern was under way."""

OVERTIME = 0.25
"""Seconds after its timeout that a statement has, so that the server's own word comes first."""

TRIES_APART = 0.005
"""Seconds, doubled each time, before a piece is tried again."""

_FIGURES = re.compile(r"\d+")
_LOST = frozenset({FailureKind.CONNECTION})


def make(options: Any) -> Enliven:
    """What makes such users; `options` is a Work."""
    work: Work = options
    workshop = Workshop(work)
    trade = Trade(work, workshop, Pieces(work, workshop))

    def enliven(session: Session, visit: Visit, luck: Luck) -> Life:
        return StatementLife(trade, session, visit, luck)

    return enliven


class Trade:
    """What all users of one worker share."""

    __slots__ = ("_timeouts", "pieces", "work", "workshop")

    def __init__(self, work: Work, workshop: Workshop, pieces: Pieces) -> None:
        self.work = work
        self.workshop = workshop
        self.pieces = pieces
        self._timeouts: Timeouts | None = None

    def timeout(self, visit: Visit) -> Any:
        """The queue of those whose time runs out."""
        if self._timeouts is None:
            self._timeouts = Timeouts(loop=asyncio.get_running_loop(), now_ns=visit.now)
        return self._timeouts.of(self.work.timeout + OVERTIME)


class StatementLife:
    """One user; it holds a connection from its start to its end, and a new one after each that was lost."""

    __slots__ = (
        "_all", "_dice", "_draw", "_expired", "_held", "_link", "_now", "_positions", "_session", "_task",
        "_timeout", "_trade", "_visit", "_weights", "_whole",
    )  # fmt: skip

    def __init__(self, trade: Trade, session: Session, visit: Visit, luck: Luck) -> None:
        self._trade = trade
        self._session = session
        self._visit = visit
        self._now = visit.now
        self._dice = Dice(luck)
        self._draw = self._dice.share
        self._all = trade.pieces.all
        self._weights = trade.pieces.weights
        self._whole = self._weights[-1]
        self._positions = {each.name: session.position(each.name) for each in self._all}
        self._timeout = trade.timeout(visit)
        self._held: Held | None = None
        self._link: Any = None
        self._task: asyncio.Task[Any] | None = None
        self._expired = False

    async def start(self, due: int) -> Done:
        """A connection with all statements prepared; one that cannot be prepared fails where it is used."""
        self._task = asyncio.current_task()
        await self._let_go()
        try:
            await self._connect()
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is an error to be counted
            failed = _exchange_error(failure_of(error), connecting=True)
            position = self._session.position(CONNECT)
            return self._keep(position, failed, "connecting", str(failure_of(error)), due=due, began=due)
        for query in self._trade.pieces.queries:
            with suppress(Exception):
                await self._link.prepare(query)
        return self._now(), None

    async def iterate(self, due: int) -> Done:
        """One pattern, chosen by weight."""
        began = self._now()
        pieces = self._all
        piece = pieces[0]
        if len(pieces) > 1:
            piece = pieces[bisect(self._weights, self._draw() * self._whole, hi=len(pieces) - 1)]
        session = self._session
        recorder = session.recorder
        watch = recorder.watch
        watch.began(began)
        self._timeout.start(self, began)
        try:
            query = piece.only
            if query is not None and self._link is not None:
                args = query.draw(self._dice, session.scope)
                try:
                    rows = await self._link.ask(query, args)
                except Exception as error:  # noqa: BLE001 - raised again unless another try may help
                    rows = await self._retried(piece, error)
            else:
                rows = await self._perform(piece)
        except BaseException as error:  # noqa: BLE001 - sorted out there, and raised where it is not ours
            return await self._failed(piece, error, due=due, began=began)
        finally:
            self._timeout.stop(self)
        done = self._now()
        watch.answered(done)
        recorder.sample(self._positions[piece.name], due=due, began=began, sent=began, done=done, received=0)
        recorder.count(piece.rows, rows)
        return done, None

    async def stop(self, due: int) -> Done:
        """Give the connection back."""
        del due
        await self._let_go()
        return self._now(), None

    def expire(self) -> None:
        """The time of what is under way is over."""
        self._expired = True
        if self._link is not None and self._link.interrupt():
            return
        if self._task is not None:
            self._task.cancel()

    async def _connect(self) -> None:
        self._held = await self._trade.workshop.take()
        self._link = self._held.link

    async def _let_go(self, *, broken: bool = False) -> None:
        """Give the connection back, or drop one that is broken; nothing of it stays on the server."""
        held, self._held, self._link = self._held, None, None
        if held is None:
            return
        with suppress(Exception):
            if broken:
                with suppress(Exception):
                    await held.link.abandon()
                await held.drop()
            else:
                await held.release()
        with suppress(Exception):
            await self._trade.workshop.give_back()

    async def _perform(self, piece: Piece) -> int:
        """The piece as a transaction, or as a call of Python; with a new connection where there is none."""
        if self._link is None:
            try:
                await self._connect()
            except Exception as error:
                raise _ConnectError from error
        try:
            return await self._once(piece)
        except Exception as error:  # noqa: BLE001 - raised again unless another try may help
            return await self._retried(piece, error)

    async def _retried(self, piece: Piece, error: Exception) -> int:
        """The rows of another try. Raises `error`, or that of the last try, where none helps."""
        recorder = self._session.recorder
        for tries in range(piece.retries + 1):
            failure = failure_of(error)
            if failure.kind is FailureKind.DEADLOCK:
                recorder.count(f"{piece.name}.deadlocks")
            if tries == piece.retries or failure.kind not in RETRIED:
                break
            if piece.only is None:
                await self._undo(piece)
            recorder.count(f"{piece.name}.retries")
            await asyncio.sleep(TRIES_APART * 2**tries * (0.5 + self._draw()))
            try:
                return await self._once(piece)
            except Exception as again:  # noqa: BLE001 - looked at in the next round
                error = again
        raise error

    async def _once(self, piece: Piece) -> int:
        link, scope = self._link, self._session.scope
        if piece.call is not None:
            told = await piece.call(link.driver)
            return told if isinstance(told, int) else 0
        if piece.only is not None:
            rows: int = await link.ask(piece.only, piece.only.draw(self._dice, scope))
            return rows
        for command in piece.opening:
            await link.say(command)
        rows = 0
        for query in piece.queries:
            rows += await link.ask(query, query.draw(self._dice, scope))
        for command in piece.closing:
            await link.say(command)
        return rows

    async def _undo(self, piece: Piece) -> None:
        """Leave the transaction that a failure may have left open; outside of one it is harmless."""
        for command in piece.undoing:
            with suppress(Exception):
                await self._link.say(command)

    async def _failed(self, piece: Piece, error: BaseException, *, due: int, began: int) -> Done:
        """Record how it failed, and leave the connection fit for the next or drop it. Raises what ends us."""
        expired, self._expired = self._expired, False
        session, watch = self._session, self._session.recorder.watch
        if isinstance(error, asyncio.CancelledError):
            if not expired or (self._task is not None and self._task.uncancel() > 0):
                await self._cut_short(piece, due=due, began=began)
                raise error
        elif not isinstance(error, Exception):
            raise error
        exchange, said = _told(error, expired=expired)
        done = self._now()
        (watch.answered if exchange.answered else watch.failed)(done)
        sent = _sql(piece)
        outcome = self._keep(
            self._positions[piece.name], exchange, sent, said, due=due, began=began, done=done
        )
        broken = exchange.kind in _BROKEN or isinstance(error, asyncio.CancelledError)
        broken = broken or (isinstance(error, TooLargeError) and error.unread)
        if broken and self._held is not None:
            session.recorder.reconnects += 1
            await asyncio.shield(self._let_go(broken=True))
        elif piece.only is None and self._link is not None:
            await self._undo(piece)
        if isinstance(error, FeedExhaustedError):
            raise error
        return outcome

    async def _cut_short(self, piece: Piece, *, due: int, began: int) -> None:
        """We are told to end in the middle: nothing of ours goes on, on the server neither."""
        recorder = self._session.recorder
        recorder.watch.failed(self._now())
        if recorder.cutting:
            error = ExchangeError(ErrorKind.CUT, "no answer when the time of the scenario was over")
            self._keep(self._positions[piece.name], error, _sql(piece), "none", due=due, began=began)
        with suppress(Exception, asyncio.CancelledError):
            await asyncio.shield(self._let_go(broken=True))

    def _keep(
        self,
        position: int,
        error: ExchangeError,
        sent: str,
        said: str,
        *,
        due: int,
        began: int,
        done: int = 0,
    ) -> Done:
        session, recorder = self._session, self._session.recorder
        done = done or self._now()
        if error.kind in UNSENT:
            batch = recorder.batch(position, due)
        else:
            batch = recorder.sample(position, due=due, began=began, sent=began, done=done, received=0)
        recorder.failure(
            position, batch, error=error, done=done,
            describe=lambda at: ErrorSample(at, session.scope.number, sent, session.redact(said)),
        )  # fmt: skip
        return done, error


class _ConnectError(Exception):
    """No connection for the next piece."""


_BROKEN = frozenset({ErrorKind.RESET, ErrorKind.CONNECT})


def _told(error: BaseException, *, expired: bool) -> tuple[ExchangeError, str]:
    """A failure to be counted, and what was said with it."""
    if isinstance(error, TooLargeError):
        return ExchangeError(ErrorKind.EXPECTATION, str(error), answered=True), str(error)
    if isinstance(error, RenderError | TemplateError | FeedExhaustedError):
        return ExchangeError(ErrorKind.RENDER, str(error)), str(error)
    if isinstance(error, _ConnectError):
        failure = failure_of(error.__cause__ or error)
        return _exchange_error(failure, connecting=True), str(failure)
    if isinstance(error, asyncio.CancelledError):
        return ExchangeError(ErrorKind.TIMEOUT, "statement timeout: no word from the server"), "none"
    failure = failure_of(error)
    if expired and failure.kind is not FailureKind.STATEMENT_TIMEOUT:
        failure = Failure(FailureKind.STATEMENT_TIMEOUT, failure.code, failure.text)
    return _exchange_error(failure), str(failure)


def _exchange_error(failure: Failure, *, connecting: bool = False) -> ExchangeError:
    """The same for the load engine; its detail begins with the SQLSTATE, where there is one."""
    what = failure.kind.value if failure.kind is not FailureKind.OTHER else _FIGURES.sub("#", failure.text)
    detail = f"{failure.code} {what}".strip()
    if connecting:
        return ExchangeError(ErrorKind.CONNECT, detail)
    if failure.kind is FailureKind.STATEMENT_TIMEOUT:
        return ExchangeError(ErrorKind.TIMEOUT, detail)
    if failure.kind in _LOST:
        return ExchangeError(ErrorKind.RESET, detail)
    return ExchangeError(ErrorKind.EXPECTATION, detail, answered=True)


def _sql(piece: Piece) -> str:
    """What was sent, for a reader."""
    text = "; ".join(" ".join(each.source.split()) for each in piece.queries)
    return text[:400] or "a piece of Python"
