"""The pipe between a run and a guardian: what one end sends the other receives, until one of them dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol


class Channel(Protocol):
    """One that is open; sending and receiving are done by two threads."""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError where the other end is gone."""

    def receive(self) -> bytes:
        """What comes next; nothing once the other end is gone."""

    def wait(self, seconds: float) -> None:
        """Return when the other end has ended, or the time is up."""

    def last_words(self) -> str:
        """What it complained of last."""

    def kill(self) -> None:
        """End the other end at once; only where it guards nothing."""

    def close(self) -> None:
        """Let go of it; a guardian takes that for the end of the run."""


class LocalChannel:
    """A guardian in a process of this machine, with a session of its own: Ctrl-C and the end of a terminal
    are for the run alone. It inherits the target's lock.
    """

    def __init__(self, state: str, run: str, *, lock: int) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-P", *guardian_arguments(state, run, lock=lock)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            pass_fds=(lock,),
            start_new_session=True,
        )
        self._complaints = b""
        threading.Thread(target=self._listen_to_complaints, daemon=True, name="guardian").start()

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError where the process has ended."""
        assert self._program.stdin is not None  # noqa: S101 - a pipe was asked for
        if self._program.stdin.closed:
            raise BrokenPipeError
        while data:
            data = data[self._program.stdin.write(data) :]

    def receive(self) -> bytes:
        """What comes next."""
        assert self._program.stdout is not None  # noqa: S101 - a pipe was asked for
        piece: bytes = self._program.stdout.read(65536)
        if not piece:
            self._program.stdout.close()
        return piece

    def wait(self, seconds: float) -> None:
        """Return when the process has ended."""
        with suppress(subprocess.TimeoutExpired):
            self._program.wait(seconds)

    def last_words(self) -> str:
        """The last line of its standard error."""
        said = self._complaints.decode(errors="replace").strip().splitlines()
        return said[-1] if said else "it said nothing"

    def kill(self) -> None:
        """End the process."""
        self._program.kill()
        self._program.wait()

    def close(self) -> None:
        """Close its standard input."""
        with suppress(OSError):
            if self._program.stdin is not None:
                self._program.stdin.close()

    def _listen_to_complaints(self) -> None:
        assert self._program.stderr is not None  # noqa: S101 - a pipe was asked for
        with self._program.stderr as stream:
            while piece := stream.read(4096):
                self._complaints = (self._complaints + piece)[-4000:]


def guardian_arguments(state: str, run: str, *, lock: int = -1, engine: str = "") -> Sequence[str]:
    """What follows `python` to be a guardian, without site-packages: it needs none, and they cost memory."""
    return "-S", "-m", "campaign.faults.guardian", state, run, str(lock), engine
