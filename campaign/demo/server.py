"""Serves the demo until it is told to stop: by SIGINT, by SIGTERM, or by the end of standard input.

When it can be used it prints one line, `READY http://HOST:PORT`, so that whoever started it need not
guess; on request the URL of its database before it. Stopping finishes the requests under way and removes
the temporary folder; on request also what was put into a database and a Redis of the user's.
"""

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import uvicorn
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from campaign.demo.app import LARGEST_BODY_BYTES, create_app
from campaign.demo.database import Database, open_database, open_to_fill
from campaign.demo.defects import DROPS_IN_FLIGHT, KEYS_WITHOUT_TTL, SLOW_START
from campaign.demo.lease import holding
from campaign.demo.middleware import access
from campaign.demo.options import DemoOptions, UnusableOptionError, usable_database
from campaign.demo.problems import Problem
from campaign.demo.redis_keys import delete_endless, delete_new, our_keys
from campaign.demo.storage import leave, prepare

FINISH_WITHIN_S = 5
ASK_AGAIN_S = 0.5
BACKLOG = 2_048
LOG_LINE = "%(asctime)s %(levelname)s %(message)s"


def serve(options: DemoOptions) -> None:
    """Return after a graceful stop; raises UnusableOptionError if an address or a URL cannot be used.

    Must run in the main thread, which receives the signals.
    """
    logging.basicConfig(level=options.log_level.upper(), format=LOG_LINE)
    _open_access_log(options.access_log)
    with (
        leaving_on_signals(exit_with_stdin=options.exit_with_stdin),
        _right_to_serve(options),
        listening(options) as listener,
        stores(options) as url,
    ):
        if options.announce_database:
            print(f"DATABASE {options.database_url or url}", flush=True)  # noqa: T201
        database = open_database(url, connections=options.worker_threads, defects=options.defects)
        with closing(database):
            server = _Server(_configured(options, database), defects=options.defects)
            server.run(sockets=[listener])


def _open_access_log(file: str | None) -> None:
    """One line per request goes into the file, if there is to be one; raises UnusableOptionError."""
    if file is None:
        return
    try:
        handler = logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        raise UnusableOptionError(f"cannot write the access log {file}: {error.strerror}") from error
    handler.setFormatter(logging.Formatter(LOG_LINE))
    access.addHandler(handler)
    access.setLevel(logging.INFO)
    access.propagate = False


class _Server(uvicorn.Server):
    """uvicorn's server, which also says when it can be used."""

    def __init__(self, config: uvicorn.Config, *, defects: frozenset[str]) -> None:
        super().__init__(config)
        self._defects = defects

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop after the requests under way, as uvicorn does; the defect does not wait for them."""
        super().handle_exit(sig, frame)
        if DROPS_IN_FLIGHT in self._defects:
            self.force_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then print the address."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what is loaded by now stays, so no later collection needs to look at it (20-50 ms each)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            print(f"READY http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)  # noqa: T201


def _configured(options: DemoOptions, database: Database) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(options, database),
        http="httptools",
        log_config=None,
        log_level=options.log_level,
        access_log=False,  # `middleware.Observation` writes one without personal data
        server_header=False,
        proxy_headers=False,  # nobody is in front, so a caller's X-Forwarded-For is only a caller's claim
        backlog=BACKLOG,
        ws_max_size=LARGEST_BODY_BYTES,
        timeout_graceful_shutdown=FINISH_WITHIN_S,
    )


@contextmanager
def listening(options: DemoOptions) -> Iterator[socket.socket]:
    """A socket that listens; raises UnusableOptionError where it cannot."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        listener = socket.create_server((options.host, options.port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        where = f"{options.host} port {options.port}"
        raise UnusableOptionError(f"cannot listen on {where}: {reason}") from error
    with listener:
        yield listener


@contextmanager
def _right_to_serve(options: DemoOptions) -> Iterator[None]:
    if SLOW_START not in options.defects or options.database_url is None:
        yield
        return
    with ExitStack() as held:
        with _usable("cannot use the database"):
            held.enter_context(holding(usable_database(options.database_url), options.lease_s))
        yield


@contextmanager
def stores(options: DemoOptions) -> Iterator[str]:
    """The URL of the database, filled; Redis has no keys that an earlier start forgot. Both are left as they
    were found, if so asked.
    """
    if options.prepared and options.database_url is not None:
        yield usable_database(options.database_url)
        return
    with _database_url(options) as url, _redis_keys(options):
        created = _fill(url, options)
        try:
            yield url
        finally:
            if options.leave_nothing and options.database_url is not None:
                _leave_database(url, created)


@contextmanager
def _database_url(options: DemoOptions) -> Iterator[str]:
    if options.database_url is not None:
        yield usable_database(options.database_url)
        return
    with TemporaryDirectory(prefix="campaign-demo-") as folder:
        yield f"sqlite:///{Path(folder, 'teddy.sqlite')}"


@contextmanager
def _redis_keys(options: DemoOptions) -> Iterator[None]:
    if options.redis_url is None:
        yield
        return
    if KEYS_WITHOUT_TTL not in options.defects:
        delete_endless(options.redis_url)
    before = our_keys(options.redis_url) if options.leave_nothing else frozenset()
    try:
        yield
    finally:
        if options.leave_nothing:
            delete_new(options.redis_url, before)


def _fill(url: str, options: DemoOptions) -> tuple[str, ...]:
    with _usable("cannot use the database"):
        until = time.monotonic() + options.database_patience_s
        while True:
            try:
                with closing(open_to_fill(url)) as database:
                    return prepare(database, options)
            except OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(ASK_AGAIN_S)


def _leave_database(url: str, created: tuple[str, ...]) -> None:
    with _usable("the demo's tables are still there"), closing(open_to_fill(url)) as database:
        leave(database, created)


@contextmanager
def _usable(otherwise: str) -> Iterator[None]:
    """Raises UnusableOptionError where the database refuses."""
    try:
        yield
    except (SQLAlchemyError, ImportError, Problem) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise UnusableOptionError(f"{otherwise}: {reason}") from error


@contextmanager
def leaving_on_signals(*, exit_with_stdin: bool) -> Iterator[None]:
    """SIGINT, SIGTERM and, on request, the end of standard input lead out of the block, in good order."""
    inside = False
    try:
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, _leave)
        if exit_with_stdin:
            threading.Thread(target=_stop_with_stdin, daemon=True).start()
        inside = True
        yield
    except KeyboardInterrupt:
        if not inside:  # the end came before the block, so there is nothing to lead out of
            raise SystemExit(0) from None


def _leave(_signal: int, _frame: FrameType | None) -> None:
    # Before uvicorn has its own handlers, and again after it has finished, when it repeats the signal.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    raise KeyboardInterrupt


def _stop_with_stdin() -> None:
    # os.read, not sys.stdin: a daemon thread inside a buffered read would upset the interpreter's end.
    while os.read(sys.stdin.fileno(), 4_096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
