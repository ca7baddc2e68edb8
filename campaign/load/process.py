"""One load worker process as its parent sees it: started, told, heard, and always ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from campaign.errors import GeneratorError
from campaign.load.machine import Means
from campaign.load.messages import Failed, Ready, Shard, encode, read_message

START_LIMIT = 30.0
"""Seconds that a worker may take until it is ready."""

EXIT_LIMIT = 2.0
"""Seconds that a worker has to exit by itself when its work is done."""

_KEPT_COMPLAINTS = 4000


def _import_path() -> str:
    """Where this process finds its modules, for one that is started with another first entry."""
    return os.pathsep.join(each or str(Path.cwd()) for each in sys.path)


class WorkerProcess:
    """Worker number `index` (from 0)."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.clock_error = 0  # one machine, one clock
        self.means = Means()
        self._process: asyncio.subprocess.Process | None = None
        self._complaints = b""
        self._over = False
        self._collecting: asyncio.Task[None] | None = None

    async def start(self, shard: Shard) -> None:
        """Return when the process is there and ready to run `shard`, and its `means` are known.

        Raises GeneratorError.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "campaign.load.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": _import_path()},
                start_new_session=True,  # an interrupt from the keyboard is for the parent alone
            )  # fmt: skip
        except OSError as error:
            raise GeneratorError(f"no load worker could be started: {error}") from error
        self._process = process
        self._collecting = asyncio.create_task(self._collect_complaints())
        await self.tell(shard)
        answer = await self.hear(START_LIMIT)
        if not isinstance(answer, Ready):
            raise GeneratorError(
                f"load worker {self.index + 1} could not be started: {await self.epitaph(answer)}"
            )
        self.means = answer.means

    async def tell(self, message: object) -> None:
        """Send a message; that the worker is gone is noticed where it is heard."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(ConnectionError, RuntimeError):  # uvloop's word for a closed pipe
                self._process.stdin.write(encode(message))
                await self._process.stdin.drain()

    async def hear(self, limit: float) -> Any:
        """The next message, or None where none comes within `limit` seconds."""
        if self._process is None or self._process.stdout is None:
            return None
        try:
            async with asyncio.timeout(limit):
                return await read_message(self._process.stdout)
        except TimeoutError:
            return None

    async def epitaph(self, last: object) -> str:
        """Why the worker ended before its time, as far as is known: `last` is what it said last."""
        if isinstance(last, Failed):
            return last.reason
        await self.exited()
        if self._collecting is not None:
            # Who left the group may hold the pipe open.
            await asyncio.wait([self._collecting], timeout=EXIT_LIMIT)
        lines = self._complaints.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else self._exit_reason()

    def kill(self) -> None:
        """End the process at once, and what users' code has started in it, as far as they are still there."""
        if self._process is not None and not self._over:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only a zombie is left
                os.killpg(self._process.pid, signal.SIGKILL)

    async def exited(self) -> None:
        """Return when the process has ended: by itself, or killed when it takes too long. What it started
        ends with it.
        """
        if self._process is None or self._over:
            return
        try:
            async with asyncio.timeout(EXIT_LIMIT):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        self.kill()
        self._over = True  # the number of its group may become somebody else's

    def _exit_reason(self) -> str:
        code = self._process.returncode if self._process else None
        if code is not None and code < 0:
            return f"ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    async def _collect_complaints(self) -> None:
        stream = self._process.stderr if self._process else None
        while stream is not None and (data := await stream.read(4096)):
            self._complaints = (self._complaints + data)[-_KEPT_COMPLAINTS:]
