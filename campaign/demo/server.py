"""Serves the demo until it is told to stop: by SIGINT, by SIGTERM, or by the end of standard input.

When it can be used it prints one line, `READY http://HOST:PORT`, so that whoever started it need not
guess; on request the URL of its database before it. Stopping finishes the requests under way and removes
the temporary folder.
"""

import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from campaign.demo.app import LARGEST_BODY_BYTES, create_app
from campaign.demo.database import Database, open_database, open_to_fill
from campaign.demo.options import DemoOptions, UnusableOptionError
from campaign.demo.storage import prepare

FINISH_WITHIN_S = 5
BACKLOG = 2_048


def serve(options: DemoOptions) -> None:
    """Return after a graceful stop; raises UnusableOptionError if an address or a URL cannot be used.

    Must run in the main thread, which receives the signals.
    """
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _leave)
    with suppress(KeyboardInterrupt), _listening(options) as listener, _database_url(options) as url:
        _fill(url, options)
        if options.announce_database:
            print(f"DATABASE {url}", flush=True)  # noqa: T201
        database = open_database(url, connections=options.worker_threads, defects=options.defects)
        with closing(database):
            server = _Server(_configured(options, database))
            if options.exit_with_stdin:
                threading.Thread(target=_stop_with_stdin, args=(server,), daemon=True).start()
            server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, which also says when it can be used."""

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
def _listening(options: DemoOptions) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        listener = socket.create_server((options.host, options.port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        where = f"{options.host} port {options.port}"
        raise UnusableOptionError(f"cannot listen on {where}: {reason}") from error
    with listener:
        yield listener


def _fill(url: str, options: DemoOptions) -> None:
    try:
        with closing(open_to_fill(url)) as database:
            prepare(database, options)
    except (SQLAlchemyError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise UnusableOptionError(f"cannot use the database: {reason}") from error


@contextmanager
def _database_url(options: DemoOptions) -> Iterator[str]:
    if options.database_url is not None:
        yield options.database_url
        return
    with TemporaryDirectory(prefix="campaign-demo-") as folder:
        yield f"sqlite:///{Path(folder, 'teddy.sqlite')}"


def _leave(_signal: int, _frame: FrameType | None) -> None:
    # Before uvicorn has its own handlers, and again after it has finished, when it repeats the signal.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    raise KeyboardInterrupt


def _stop_with_stdin(server: uvicorn.Server) -> None:
    # os.read, not sys.stdin: a daemon thread inside a buffered read would upset the interpreter's end.
    while os.read(sys.stdin.fileno(), 4_096):
        pass
    server.should_exit = True
