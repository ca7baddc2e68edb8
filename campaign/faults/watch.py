"""The run's side of a guardian: talks to it, and says that the run lives."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from campaign.faults.channel import Channel
from campaign.faults.fault import FaultError
from campaign.faults.guardian.lease import BEAT_SECONDS

START_SECONDS = 15.0
"""How long a guardian may take until it says that it is ready; it takes a tenth of a second."""

ANSWER_SECONDS = 10.0

END_SECONDS = 60.0
"""How long it may take to end, all healing included."""

Event = Callable[[Mapping[str, Any]], None]


class Watch:
    """A guardian that runs at the other end of a channel; `event` gets what it says unasked, from another
    thread.
    """

    def __init__(self, channel: Channel, *, event: Event) -> None:
        self._event = event
        self._channel = channel
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._next = self._process = 0
        self._write = threading.Lock()
        self._ready: Future[bool] = Future()
        self._ended = threading.Event()
        for listen in (self._listen, self._beat):
            threading.Thread(target=listen, daemon=True, name="guardian").start()

    @property
    def process(self) -> int:
        """Its process id on its own machine; 0 where it has not said so yet."""
        return self._process

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._ended.is_set()

    async def until_ready(self) -> None:
        """Return when it listens. Raises FaultError where it does not come to that."""
        try:
            ready = await asyncio.wait_for(asyncio.wrap_future(self._ready), START_SECONDS)
        except TimeoutError:
            ready = False
        if not ready:
            self._channel.kill()
            self._close()
            raise FaultError(
                f"the guardian did not start, so nothing was broken: {self._channel.last_words()}"
            )

    async def ask(self, do: str, *, within: float = ANSWER_SECONDS, **more: Any) -> dict[str, Any]:
        """Its answer. Raises FaultError where it refuses, is gone or says nothing."""
        number, answer = self._expect()
        try:
            self._send({"do": do, "re": number, **more})
            said = await asyncio.wait_for(asyncio.wrap_future(answer), within)
        except OSError as error:
            raise FaultError(f"the guardian is gone ({self._channel.last_words()})") from error
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
        await asyncio.to_thread(self._channel.wait, END_SECONDS)
        self._close()

    def _close(self) -> None:
        self._ended.set()
        self._channel.close()

    def _expect(self) -> tuple[int, Future[dict[str, Any]]]:
        self._next += 1
        answer: Future[dict[str, Any]] = Future()
        self._waiting[self._next] = answer
        if self._ended.is_set():
            answer.set_result({"error": f"the guardian is gone ({self._channel.last_words()})"})
        return self._next, answer

    def _send(self, message: Mapping[str, Any]) -> None:
        with self._write:
            self._channel.send(json.dumps(message).encode() + b"\n")

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with suppress(OSError, ValueError):
                self._send({"do": "beat"})

    def _listen(self) -> None:
        unread = b""
        while piece := self._channel.receive():
            *lines, unread = (unread + piece).split(b"\n")
            for line in lines:
                self._hear(line)
        self._ended.set()
        if not self._ready.done():
            self._ready.set_result(False)
        for answer in tuple(self._waiting.values()):
            if not answer.done():
                answer.set_result({"error": f"the guardian is gone ({self._channel.last_words()})"})

    def _hear(self, line: bytes) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            return
        if said.get("event") == "ready":
            self._process = int(said["process"])
            if not self._ready.done():
                self._ready.set_result(True)
        elif "event" in said:
            self._event(said)
        elif (answer := self._waiting.get(said.get("re", 0))) is not None and not answer.done():
            answer.set_result(said)
