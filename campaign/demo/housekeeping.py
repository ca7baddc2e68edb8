"""What the service does by itself every few seconds: it removes what has expired."""

import asyncio
import time
from zlib import crc32

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import bindparam, delete, select
from sqlalchemy.exc import SQLAlchemyError

from campaign.demo.database import Database
from campaign.demo.defects import SESSIONS_WITHOUT_TTL, STALL
from campaign.demo.idempotency import KEPT_MS as KEYS_KEPT_MS
from campaign.demo.metrics import Metrics
from campaign.demo.middleware import log
from campaign.demo.now import now_ms
from campaign.demo.problems import Problem
from campaign.demo.schema import activities, exports, messages, sessions, tokens, turns_by_key

PAUSE_S = 6.0
EXPORT_KEPT_MS = 24 * 3_600_000
KEPT_MS = 365 * 24 * 3_600_000
"""How long a conversation that nobody goes on with is kept, and what a child did."""

CHECK_BUDGET_S = 3.0
NEXT_MESSAGES = (
    select(messages.c.id, messages.c.text)
    .where(messages.c.id > bindparam("last_id"))
    .order_by(messages.c.id)
    .limit(2_000)
)


class Housekeeping:
    """Runs until cancelled; a round without any request since the last one is skipped."""

    def __init__(self, database: Database, metrics: Metrics, *, defects: frozenset[str]) -> None:
        self._database = database
        self._metrics = metrics
        self._defects = defects

    async def run(self) -> None:
        """Pause, tidy up, and again."""
        answered = 0
        while True:
            await asyncio.sleep(PAUSE_S)
            if self._metrics.requests == answered:
                continue
            answered = self._metrics.requests
            try:
                await run_in_threadpool(self._remove_expired)
                if STALL in self._defects:
                    self._check_messages()
            except (SQLAlchemyError, Problem):
                log.warning("housekeeping could not reach the database and will try again")

    def _remove_expired(self) -> None:
        now = now_ms()
        with self._database.writing() as connection:
            connection.execute(delete(tokens).where(tokens.c.expires_at_ms < now))
            connection.execute(delete(turns_by_key).where(turns_by_key.c.created_at_ms < now - KEYS_KEPT_MS))
            connection.execute(delete(exports).where(exports.c.requested_at_ms < now - EXPORT_KEPT_MS))
            connection.execute(delete(activities).where(activities.c.created_at_ms < now - KEPT_MS))
            if SESSIONS_WITHOUT_TTL not in self._defects:
                connection.execute(delete(sessions).where(sessions.c.last_active_at_ms < now - KEPT_MS))

    def _check_messages(self) -> int:
        """A checksum over as many messages as can be read within the budget, round and round."""
        until = time.monotonic() + CHECK_BUDGET_S
        checksum, last_id = 0, 0
        with self._database.reading() as connection:
            while time.monotonic() < until:
                rows = connection.execute(NEXT_MESSAGES, {"last_id": last_id}).all()
                for row in rows:
                    checksum = crc32(row.text.encode(), checksum)
                last_id = rows[-1].id if rows else 0
        return checksum
