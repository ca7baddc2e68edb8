"""The run's side of a guardian: starts it, talks to it, and says that the run lives."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from campaign.faults.fault import FaultError
from campaign.faults.guardian.lease import BEAT_SECONDS

START_SECONDS = 15.0
"""How long a guardian may take until it says that it is ready; it takes a tenth of a second."""

ANSWER_SECONDS = 10.0

END_SECONDS = 60.0
"""How long it may take to end, all healing included."""

Event = Callable[[Mapping[str, Any]], None]


class Watch:
    """A guardian that runs; `event` gets what it says unasked, from another thread."""

    def __init__(self, command: Sequence[str], *, event: Event, keep: Sequence[int] = ()) -> None:
        self._event = event
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._next = 0
        self._write = threading.Lock()
        self._ready: Future[bool] = Future()
        self._ended = threading.Event()
        self._program = subprocess.Popen(
            list(command),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": _home()},
            pass_fds=tuple(keep),
            start_new_session=True,  # Ctrl-C and the end of a terminal are for us alone
        )
        self._complaints = b""
        for listen in (self._listen, self._listen_to_complaints, self._beat):
            threading.Thread(target=listen, daemon=True, name="guardian").start()

    @property
    def process(self) -> int:
        """Its process id."""
        return self._program.pid

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._ended.is_set() and self._program.poll() is None

    async def until_ready(self) -> None:
        """Return when it listens. Raises FaultError where it does not come to that."""
        try:
            ready = await asyncio.wait_for(asyncio.wrap_future(self._ready), START_SECONDS)
        except TimeoutError:
            ready = False
        if not ready:
            self.kill()
            raise FaultError(f"the guardian did not start, so nothing was broken: {self._last_words()}")

    async def ask(self, do: str, *, within: float = ANSWER_SECONDS, **more: Any) -> dict[str, Any]:
        """Its answer. Raises FaultError where it refuses, is gone or says nothing."""
        number, answer = self._expect()
        try:
            self._send({"do": do, "re": number, **more})
            said = await asyncio.wait_for(asyncio.wrap_future(answer), within)
        except OSError as error:
            raise FaultError(f"the guardian is gone ({self._last_words()})") from error
        except TimeoutError as error:
            raise FaultError(f"the guardian did not answer within {within:.0f} s") from error
        finally:
            self._waiting.pop(number, None)
        if "error" in said:
            raise FaultError(str(said["error"]))
        return said

    def tell(self, do: str, **more: Any) -> None:
        """Say something that needs no answer. Raises OSError where it is gone."""
        self._send({"do": do, **more})

    async def end(self) -> None:
        """Let it undo what is still open and end; one that does not is left alone, as it may be healing."""
        with suppress(FaultError):
            await self.ask("end")
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._program.wait, END_SECONDS)
        self._close()

    def kill(self) -> None:
        """End it at once; only for one that guards nothing."""
        self._program.kill()
        self._program.wait()
        self._close()

    def _close(self) -> None:
        self._ended.set()
        with suppress(OSError):
            if self._program.stdin is not None:
                self._program.stdin.close()

    def _expect(self) -> tuple[int, Future[dict[str, Any]]]:
        self._next += 1
        answer: Future[dict[str, Any]] = Future()
        self._waiting[self._next] = answer
        if self._ended.is_set():
            answer.set_result({"error": f"the guardian is gone ({self._last_words()})"})
        return self._next, answer

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._program.stdin is not None  # noqa: S101 - a pipe was asked for
        data = json.dumps(message).encode() + b"\n"
        with self._write:
            while data:
                data = data[self._program.stdin.write(data) :]

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with suppress(OSError, ValueError):
                self._send({"do": "beat"})

    def _listen(self) -> None:
        assert self._program.stdout is not None  # noqa: S101 - a pipe was asked for
        unread = b""
        with self._program.stdout as stream:
            while piece := stream.read(65536):
                *lines, unread = (unread + piece).split(b"\n")
                for line in lines:
                    self._hear(line)
        self._ended.set()
        if not self._ready.done():
            self._ready.set_result(False)
        for answer in tuple(self._waiting.values()):
            if not answer.done():
                answer.set_result({"error": f"the guardian is gone ({self._last_words()})"})

    def _hear(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if said.get("event") == "ready":
            self._ready.set_result(True)
        elif "event" in said:
            self._event(said)
        elif (answer := self._waiting.get(said.get("re", 0))) is not None and not answer.done():
            answer.set_result(said)

    def _listen_to_complaints(self) -> None:
        assert self._program.stderr is not None  # noqa: S101 - a pipe was asked for
        with self._program.stderr as stream:
            while piece := stream.read(4096):
                self._complaints = (self._complaints + piece)[-4000:]

    def _last_words(self) -> str:
        said = self._complaints.decode(errors="replace").strip().splitlines()
        return said[-1] if said else "it said nothing"


def local_command(state: str, run: str, *, lock: int) -> list[str]:
    """How to start a guardian here: without site-packages, as it needs none and they cost memory."""
    return [sys.executable, "-S", "-P", "-m", "campaign.faults.guardian", state, run, str(lock), ""]


def _home() -> str:
    """The folder, or the zip, that holds the package."""
    return str(Path(__file__).parents[2])
