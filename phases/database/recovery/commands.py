"""Commands of the user, run by the shell: bounded in time, and those that heal run in every case.

The commands of a pair run in a thread of their own, so that no Ctrl-C comes between them, and a guardian
process runs the healing one should we be killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any

LONGEST_OUTPUT = 1000
"""Characters of a command's output that are kept, its end."""

_GUARD = 'read -r word || exec sh -c "$0"'
"""Waits for a word from us; where our end of the pipe closes without one, runs the command it was given."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ran. `exit_code` None: it was ended as it took too long."""

    command: str
    exit_code: int | None
    seconds: float
    output: str

    def plain(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def run_command(command: str, seconds: float) -> Ran:
    """What became of the command, which had so many seconds. Blocks.

    Its output goes through a file: a server that it starts may keep a pipe open for good.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            ["sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C at the terminal is for us, not for it
        )
        try:
            code: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        text = output.read().decode(errors="replace").strip()
    return Ran(command, code, time.monotonic() - began, text[-LONGEST_OUTPUT:])


def run_pair(
    breaks: str, heals: str, *, between: threading.Event, seconds: float, timeout: float
) -> list[Ran]:
    """What became of both commands, with so many seconds between them, or until `between` is set. Blocks."""
    with _guarded(heals):
        try:
            ran = [run_command(breaks, timeout)]
            between.wait(seconds)
        finally:
            healed = run_command(heals, timeout)
        return [*ran, healed]


@contextmanager
def _guarded(command: str) -> Iterator[None]:
    """While this block runs, the death of our process makes another one run the command."""
    guardian = subprocess.Popen(
        ["sh", "-c", _GUARD, command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        with suppress(OSError):
            guardian.communicate(b"done\n")
