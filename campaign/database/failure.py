"""What a driver's exception means: one code per failure, and a kind to decide by, whatever the driver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

LONGEST = 200


class FailureKind(StrEnum):
    """How a statement failed."""

    SERIALIZATION = "serialization failure"
    DEADLOCK = "deadlock"
    LOCK_TIMEOUT = "lock timeout"
    STATEMENT_TIMEOUT = "statement timeout"
    CONNECTION = "connection"
    ACCESS = "access"
    UNIQUE = "unique violation"
    FOREIGN_KEY = "foreign key violation"
    CHECK = "check violation"
    OTHER = "error"


RETRIED = frozenset({FailureKind.SERIALIZATION, FailureKind.DEADLOCK, FailureKind.LOCK_TIMEOUT})
"""What an application is expected to answer with another try."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed statement: `code` is its SQLSTATE (MariaDB's and MySQL's error number with it: "40001/1213";
    SQLite's error name), `text` the first line of what the server said.
    """

    kind: FailureKind
    code: str
    text: str

    def __str__(self) -> str:
        return (
            f"{self.kind.value} ({self.code}): {self.text}"
            if self.code
            else f"{self.kind.value}: {self.text}"
        )


_STATES = {
    "40001": FailureKind.SERIALIZATION,
    "40P01": FailureKind.DEADLOCK,
    "55P03": FailureKind.LOCK_TIMEOUT,
    "57014": FailureKind.STATEMENT_TIMEOUT,
    "23505": FailureKind.UNIQUE,
    "23503": FailureKind.FOREIGN_KEY,
    "23514": FailureKind.CHECK,
    "42501": FailureKind.ACCESS,
    "28000": FailureKind.ACCESS,
    "28P01": FailureKind.ACCESS,
    "3D000": FailureKind.ACCESS,
    "25006": FailureKind.ACCESS,
    "53300": FailureKind.CONNECTION,
    "57P01": FailureKind.CONNECTION,
    "57P02": FailureKind.CONNECTION,
    "57P03": FailureKind.CONNECTION,
    "25P03": FailureKind.CONNECTION,
}
"""PostgreSQL's codes (appendix A of its manual)."""

_NUMBERS = {
    1213: ("40001", FailureKind.DEADLOCK),
    1020: ("HY000", FailureKind.SERIALIZATION),
    1205: ("HY000", FailureKind.LOCK_TIMEOUT),
    1969: ("70100", FailureKind.STATEMENT_TIMEOUT),
    3024: ("HY000", FailureKind.STATEMENT_TIMEOUT),
    1317: ("70100", FailureKind.STATEMENT_TIMEOUT),
    1062: ("23000", FailureKind.UNIQUE),
    1451: ("23000", FailureKind.FOREIGN_KEY),
    1452: ("23000", FailureKind.FOREIGN_KEY),
    4025: ("23000", FailureKind.CHECK),
    3819: ("HY000", FailureKind.CHECK),
    1040: ("08004", FailureKind.CONNECTION),
    1927: ("70100", FailureKind.CONNECTION),
    1053: ("08S01", FailureKind.CONNECTION),
    1044: ("42000", FailureKind.ACCESS),
    1045: ("28000", FailureKind.ACCESS),
    1049: ("42000", FailureKind.ACCESS),
    1142: ("42000", FailureKind.ACCESS),
    1227: ("42000", FailureKind.ACCESS),
    1290: ("HY000", FailureKind.ACCESS),
    1698: ("28000", FailureKind.ACCESS),
    1792: ("25006", FailureKind.ACCESS),
    4031: ("HY000", FailureKind.CONNECTION),
}
"""Error numbers of MariaDB and MySQL, with their SQLSTATE."""

_LITE = {
    "SQLITE_BUSY": FailureKind.LOCK_TIMEOUT,
    "SQLITE_BUSY_SNAPSHOT": FailureKind.SERIALIZATION,
    "SQLITE_BUSY_TIMEOUT": FailureKind.LOCK_TIMEOUT,
    "SQLITE_LOCKED": FailureKind.LOCK_TIMEOUT,
    "SQLITE_INTERRUPT": FailureKind.STATEMENT_TIMEOUT,
    "SQLITE_CONSTRAINT_UNIQUE": FailureKind.UNIQUE,
    "SQLITE_CONSTRAINT_PRIMARYKEY": FailureKind.UNIQUE,
    "SQLITE_CONSTRAINT_FOREIGNKEY": FailureKind.FOREIGN_KEY,
    "SQLITE_CONSTRAINT_CHECK": FailureKind.CHECK,
    "SQLITE_CANTOPEN": FailureKind.CONNECTION,
    "SQLITE_NOTADB": FailureKind.CONNECTION,
    "SQLITE_READONLY": FailureKind.ACCESS,
}
_CLIENT_ERRORS = range(2000, 2100)
"""Numbers that clients of MariaDB and MySQL give to broken connections."""


def failure_of(error: BaseException) -> Failure:
    """What this exception means: of SQLAlchemy, psycopg, asyncpg, PyMySQL, asyncmy or sqlite3."""
    for each in _causes(error):
        if (found := _read(each)) is not None:
            return Failure(*found, _first_line(each))
    if isinstance(error, TimeoutError):
        return Failure(FailureKind.STATEMENT_TIMEOUT, "", "no answer in time")
    kind = FailureKind.CONNECTION if _is_connection(error) else FailureKind.OTHER
    return Failure(kind, "", _first_line(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, and those it was made from, the driver's own first."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain and len(chain) < 10:
        chain.append(following)
        following = getattr(following, "orig", None) or following.__cause__ or following.__context__
    return reversed(chain)


def _read(error: BaseException) -> tuple[FailureKind, str] | None:
    number = error.args[0] if error.args else None
    if type(error).__module__.partition(".")[0] in {"pymysql", "asyncmy"} and isinstance(number, int):
        return _of_number(
            number, getattr(error, "sqlstate", None)
        )  # finer than the SQLSTATE that asyncmy gives as well
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and state:
        return _STATES.get(state, _by_class(state)), state
    name = getattr(error, "sqlite_errorname", None)
    if isinstance(name, str):
        return _LITE.get(name, FailureKind.OTHER), name
    return None


def _of_number(number: int, said: str | None) -> tuple[FailureKind, str]:
    if number in _CLIENT_ERRORS or number == 0:
        return FailureKind.CONNECTION, str(number)
    state, kind = _NUMBERS.get(number, (said or "HY000", FailureKind.OTHER))
    return kind, f"{state}/{number}"


def _by_class(state: str) -> FailureKind:
    return FailureKind.CONNECTION if state.startswith("08") else FailureKind.OTHER


def _is_connection(error: BaseException) -> bool:
    return isinstance(error, OSError) or any(_broke(each) for each in _causes(error))


def _broke(error: BaseException) -> bool:
    name = type(error).__name__
    return name in _BROKEN or (name == "OperationalError" and "connection" in str(error).lower())


_BROKEN = {"InterfaceError", "InternalClientError", "ConnectionDoesNotExistError", "ConnectionTimeout"}
"""What drivers call the end of a connection where they give no code."""


def _first_line(error: BaseException) -> str:
    error = getattr(error, "orig", None) or error  # without the name that SQLAlchemy puts before it
    text = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], str) else str(error)
    line = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    return line.removeprefix(_PSYCOPGS_OWN)[:LONGEST]


_PSYCOPGS_OWN = "connection failed: "
"""What psycopg puts before the words of libpq, which say the same."""
