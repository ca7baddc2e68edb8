"""One try of one write: a transaction with one row, whose fate is in the ledger at every moment."""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from campaign.database.failure import Failure, FailureKind, failure_of
from campaign.ledger.writer import Ledger

UNDECIDED = frozenset({FailureKind.CONNECTION, FailureKind.STATEMENT_TIMEOUT, FailureKind.OTHER})
"""Failures of a COMMIT that do not tell whether it was done."""


class Stage(Enum):
    """How far a try is. Until the COMMIT is out the server cannot have done it."""

    WAITING = auto()
    SENT = auto()
    COMMITTING = auto()
    DONE = auto()


class Attempt:
    """A try that is made once. `given_up`, once set, keeps it from sending anything more."""

    def __init__(self, number: int, ledger: Ledger) -> None:
        self.number = number
        self.ledger = ledger
        self.stage = Stage.WAITING
        self.given_up = False

    async def make(self, engine: AsyncEngine, table: Table, *, trial: int) -> None:
        """Write the row and have it acknowledged. Raises what the driver raises."""
        async with engine.connect() as connection:
            self._go_on(Stage.SENT)
            self.ledger.sent(self.number)
            await connection.execute(insert(table), {"trial": trial, "id": self.number})
            self._go_on(Stage.COMMITTING)
            await connection.commit()
            self.ledger.acknowledged(self.number)
            self.stage = Stage.DONE

    def failed(self, error: BaseException) -> Failure | None:
        """Write down that it failed and give why; None where it was acknowledged all the same."""
        self.given_up = True
        if self.stage is Stage.DONE:
            return None
        failure = failure_of(error)
        if self.stage is Stage.COMMITTING and failure.kind in UNDECIDED:
            self.ledger.unanswered(self.number)
        else:
            self.ledger.refused(self.number)
        return failure

    @property
    def may_be_done(self) -> bool:
        """Whether the server may have done it, so that it must not be tried again."""
        return self.stage in {Stage.COMMITTING, Stage.DONE}

    def _go_on(self, stage: Stage) -> None:
        if self.given_up:
            raise asyncio.CancelledError
        self.stage = stage
