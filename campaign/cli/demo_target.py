"""The embedded demo target: served in this process, or as one of its own beside a campaign."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import typer

from campaign.demo.defects import DEFECTS, describe_defects, unknown_defects
from campaign.demo.options import DemoOptions, UnusableOptionError
from campaign.errors import ConfigurationError, TargetUnreachableError

START_SECONDS = 30.0
"""How long the demo may take until it answers; it takes about two on an idle machine."""

STOP_SECONDS = 10.0
"""How long it may take to finish its last requests before it is killed."""


def show_defects() -> None:
    """Print what each fault breaks."""
    typer.echo(describe_defects())


def check_defects(names: Collection[str]) -> None:
    """Return when all names are known. Raises ConfigurationError."""
    unknown = unknown_defects(frozenset(names))
    if unknown:
        raise ConfigurationError(f"--defect {unknown[0]}: no such fault\n  allowed  {', '.join(DEFECTS)}")


def note_unfound(names: Collection[str], phases: Collection[str]) -> None:
    """Say which faults no installed phase looks for, so that a pass is not taken for a missing fault."""
    for name in names:
        phase = DEFECTS[name].found_by
        if phase not in phases:
            typer.echo(f"note: {name} is for the phase {phase!r} to find, which is not installed", err=True)


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
    defects: Collection[str], *, database_url: str = "", redis_url: str = ""
) -> Iterator[DemoTarget]:
    """A demo target of our own on a free port; it is stopped at the end, and if we are killed.

    Without a `database_url` it has a SQLite file, which goes with it. Raises TargetUnreachableError when it
    does not start.
    """
    command = [
        sys.executable,
        "-m",
        "campaign.demo",
        "--port",
        "0",
        "--exit-with-stdin",
        "--announce-database",
    ]
    command += [part for name in defects for part in ("--defect", name)]
    command += ["--database-url", database_url] if database_url else []
    command += ["--redis-url", redis_url] if redis_url else []
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
            yield DemoTarget(_line(process, complaints, begins="READY "), database, redis_url)
        finally:
            _stop(process)


def _line(process: subprocess.Popen[bytes], complaints: IO[bytes], *, begins: str) -> str:
    """The rest of its next line, which begins so. Raises TargetUnreachableError."""
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline().decode() if readable else ""
    if not line.startswith(begins):
        complaints.seek(0)
        said = complaints.read().decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"no word from it within {START_SECONDS:.0f} s"
        raise TargetUnreachableError(f"the demo target did not start: {why}")
    return line.removeprefix(begins).strip()


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
