"""The defect `slow-start`: whoever holds the lease in the database may serve, and it is never given back.

It keeps two processes from serving at once. A process that takes over must wait until the lease of the one
before has run out, because nobody who stops, well or badly, ever returns it.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from campaign.demo.database import Database, open_to_fill
from campaign.demo.now import now_ms

LOOK_EVERY_S = 0.2
TABLE = "CREATE TABLE IF NOT EXISTS teddy_lease (one INTEGER PRIMARY KEY, until_ms BIGINT NOT NULL)"
FIRST = "INSERT INTO teddy_lease VALUES (1, 0) ON CONFLICT DO NOTHING"
TAKE = "UPDATE teddy_lease SET until_ms = :until_ms WHERE until_ms < :now_ms"
RENEW = "UPDATE teddy_lease SET until_ms = :until_ms"
DROP = "DROP TABLE IF EXISTS teddy_lease"


class Lease:
    """The right to serve for `seconds`, in the database of the service."""

    def __init__(self, database: Database, seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._over = threading.Event()
        with database.writing() as connection:
            connection.execute(text(TABLE))
            connection.execute(text(FIRST))

    def wait(self) -> None:
        """Return as soon as nobody holds it and it is ours."""
        while not self._do(TAKE):
            time.sleep(LOOK_EVERY_S)

    def renew(self) -> None:
        """Keep it until `end`."""
        while not self._over.wait(self._seconds / 5):
            with suppress(SQLAlchemyError):
                self._do(RENEW)

    def end(self) -> None:
        """Renew it no more."""
        self._over.set()

    def _do(self, statement: str) -> int:
        now = now_ms()
        moments = {"now_ms": now, "until_ms": now + int(self._seconds * 1000)}
        used = {name: value for name, value in moments.items() if f":{name}" in statement}
        with self._database.writing() as connection:
            return connection.execute(text(statement), used).rowcount


@contextmanager
def holding(url: str, seconds: float) -> Iterator[None]:
    """Hold the lease inside; entering may take as long as it lasts."""
    with closing(open_to_fill(url)) as database:
        lease = Lease(database, seconds)
        lease.wait()
        threading.Thread(target=lease.renew, name="lease", daemon=True).start()
        try:
            yield
        finally:
            lease.end()
