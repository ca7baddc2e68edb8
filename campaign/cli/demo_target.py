"""The embedded demo target: served in this process, or as one of its own beside a campaign."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import typer

from campaign.demo.defects import DEFECTS, describe_defects, unknown_defects
from campaign.demo.options import DemoOptions, UnusableOptionError, usable_database
from campaign.errors import ConfigurationError, TargetUnreachableError

START_SECONDS = 30.0
"""How long the demo may take until it answers; it takes about two on an idle machine."""

STOP_SECONDS = 20.0
"""How long it may take to finish its last requests and to clean up before it is killed."""


def show_defects() -> None:
    """Print what each fault breaks."""
    typer.echo(describe_defects())


def check_defects(names: Collection[str]) -> None:
    """Return when all names are known. Raises ConfigurationError."""
    unknown = unknown_defects(frozenset(names))
    if unknown:
        raise ConfigurationError(f"--defect {unknown[0]}: no such fault\n  allowed  {', '.join(DEFECTS)}")


def check_database(url: str, *, named: str = "--database-url") -> None:
    """Return when the demo can keep its data there; `named` is where the URL was given. Raises
    ConfigurationError.
    """
    try:
        usable_database(url)
    except UnusableOptionError as error:
        raise ConfigurationError(f"{named}: {error}") from error


def note_unfound(names: Collection[str], phases: Collection[str], *, stores: Mapping[str, str]) -> None:
    """Say which faults nobody can find in this run, so that a pass is not taken for a missing fault: those of
    phases that are not installed, and those that only show in a store that the demo is not given.
    """
    kinds = {url.partition(":")[0].partition("+")[0] for url in stores.values()}
    for name in names:
        defect = DEFECTS[name]
        if defect.found_by not in phases:
            _note(f"{name} is for the phase {defect.found_by!r} to find, which is not installed")
        elif defect.only_on and not kinds & SCHEMES[defect.only_on]:
            store = defect.only_on
            _note(f"{name} shows on {store} only, so nothing in this run can find it; add {OPTIONS[store]}")


SCHEMES = {"PostgreSQL": {"postgresql", "postgres"}, "Redis": {"redis", "rediss", "unix"}}
OPTIONS = {
    "PostgreSQL": "--database-url postgresql://USER@HOST/DATABASE",
    "Redis": "--redis-url redis://HOST:6379/0",
}


def _note(text: str) -> None:
    typer.echo(f"note: {text}", err=True)


def serve_here(
    host: str, port: int, *, defects: Collection[str], database_url: str = "", redis_url: str = ""
) -> None:
    """Serve until Ctrl-C. Raises ConfigurationError when the address or the database cannot be used."""
    from campaign.demo.server import serve  # noqa: PLC0415

    options = DemoOptions(
        host=host,
        port=port,
        database_url=database_url or None,
        redis_url=redis_url or None,
        defects=frozenset(defects),
    )
    try:
        serve(options)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    except UnusableOptionError as error:
        raise ConfigurationError(str(error)) from error


@dataclass(frozen=True, slots=True)
class DemoTarget:
    """Where a running demo is: its URL, and those of its database and its Redis ("": it has none)."""

    url: str
    database: str
    redis: str


@contextmanager
def running_demo(
    defects: Collection[str], *, database_url: str = "", redis_url: str = "", more: Sequence[str] = ()
) -> Iterator[DemoTarget]:
    """A demo target of our own on a free port; it is stopped at the end, and if we are killed. `more` are
    further options of its own.

    Without a `database_url` it has a SQLite file, which goes with it; in a database or a Redis of the user's
    it leaves nothing that was not there. Raises TargetUnreachableError when it does not start.
    """
    command = [
        sys.executable,
        "-m",
        "campaign.demo",
        "--port",
        "0",
        "--exit-with-stdin",
        "--announce-database",
        "--leave-nothing",
    ]
    command += [part for name in defects for part in ("--defect", name)]
    command += ["--database-url", database_url] if database_url else []
    command += ["--redis-url", redis_url] if redis_url else []
    command += more
    with tempfile.TemporaryFile() as complaints:  # its log must not run through our display
        process = subprocess.Popen(
            command,
            bufsize=0,  # a second line must not hide in a buffer where `select` does not see it
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # Ctrl-C is for us; the demo is stopped after the last phase
        )
        try:
            database = _line(process, complaints, begins="DATABASE ")
            there = DemoTarget(_line(process, complaints, begins="READY "), database, redis_url)
        except TargetUnreachableError:
            _stop(process)
            raise
        try:
            yield there
        finally:
            _stop(process)
            if process.returncode:
                _note(f"the demo target did not end well: {_last_words(complaints) or 'it was killed'}")


def _line(process: subprocess.Popen[bytes], complaints: IO[bytes], *, begins: str) -> str:
    """The rest of its next line, which begins so. Raises TargetUnreachableError."""
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline().decode() if readable else ""
    if not line.startswith(begins):
        why = _last_words(complaints) or f"no word from it within {START_SECONDS:.0f} s"
        raise TargetUnreachableError(f"the demo target did not start: {why}")
    return line.removeprefix(begins).strip()


def _last_words(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    said = complaints.read().decode(errors="replace").strip().splitlines()
    return said[-1] if said else ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    with suppress(BrokenPipeError):
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
