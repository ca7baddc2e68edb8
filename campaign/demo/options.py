"""What can be set when the demo service is started."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """Everything the service is started with; the defaults suit a campaign on one machine."""

    host: str = "127.0.0.1"
    """Address to listen on; loopback unless asked otherwise, because the accounts are public knowledge."""

    port: int = 8000
    """TCP port; 0 picks a free one."""

    database_url: str | None = None
    """URL of a PostgreSQL or SQLite database (see `usable_database`); None: SQLite in a folder removed at the
    end.
    """

    redis_url: str | None = None
    """Redis for the token cache and the rate-limit counters; None: both live in this process."""

    defects: frozenset[str] = frozenset()
    """Names from `defects.DEFECTS`."""

    seed_parents: int = 1_000
    """Accounts parent0001@example.com and on, each with one child, its consent and one session."""

    seed_history: int = 500_000
    """Old messages, spread evenly over the seeded sessions."""

    password_cost: int = 8
    """log2 of scrypt's N for new hashes; 8 takes under a millisecond, fit for a demo, production needs 17."""

    access_token_hours: float = 24.0
    """How long an access token is good for."""

    requests_per_second: int = 100
    """For each parent; callers that are not signed in share ten times as much per address."""

    failed_logins_per_minute: int = 20
    """For each e-mail address."""

    live_conversations: int = 60
    """Live conversations that there may be at once."""

    live_per_parent: int = 6
    """Live conversations of one parent that there may be at once."""

    worker_threads: int = 4
    """Threads for blocking work; there are as many database connections, so no thread waits for one."""

    companion: str | None = None
    """HOST:PORT of the companion that makes up stories; None: they are made up in this process."""

    outgoing_proxy: str | None = None
    """HOST:PORT of the HTTP proxy through which the third party is told what children say, where a parent
    consented to that; None: nobody is called.
    """

    database_patience_s: float = 0.0
    """How long a start waits for a database that is not there yet; 0: such a start fails at once."""

    lease_s: float = 45.0
    """How long the lease lasts that the defect `slow-start` takes."""

    prepared: bool = False
    """The database is filled already, and cleaned up by whoever filled it."""

    supervised: str | None = None
    """Folder for the pid files of a service that is restarted when it dies; None: it is not."""

    companion_port: int = 0
    """Where a supervised service's companion listens; 0: it has none."""

    exit_with_stdin: bool = False
    """Shut down when standard input ends, so that the service never outlives the process that started it."""

    announce_database: bool = False
    """Print `DATABASE <url>` before `READY`, for whoever wants to look behind the API."""

    leave_nothing: bool = False
    """At the end drop the tables that this start created, and delete the keys that it wrote into Redis."""

    access_log: str | None = None
    """File for one line per request, without personal data; None: they go where `log_level` says."""

    log_level: str = "warning"
    """debug, info (one line per request, without personal data), warning or error."""


class UnusableOptionError(Exception):
    """The service cannot start with these options; the text is one sentence for the user."""


DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "sqlite": "sqlite"}
"""What the demo connects with, by the kind of database."""


def usable_database(url: str) -> str:
    """The URL for the driver that the demo uses, whichever it names. Raises UnusableOptionError where it is
    of another kind of database.
    """
    scheme, separator, rest = url.partition("://")
    kind = scheme.partition("+")[0].lower()
    if separator and kind in DRIVERS:
        return f"{DRIVERS[kind]}://{rest}"
    raise UnusableOptionError(
        "the demo keeps its data in PostgreSQL (postgresql://...) or SQLite (sqlite:///FILE), not in "
        + (kind if separator else "this, which is no URL")
    )
