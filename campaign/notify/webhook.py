"""Posts messages to a webhook, shaped as Slack takes them, and never keeps the campaign waiting."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from campaign.events import Event

PATIENCE = 5.0
"""Seconds for one attempt as a whole, however slowly its answer trickles in."""

PAUSES = (0.0, 0.5, 1.0)
"""Seconds before each attempt."""

AT_THE_END = 8.0
"""Seconds that the end of the campaign waits for messages that are still on their way."""

MOST_WAITING = 100
"""Messages; where more wait for a slow receiver, the newest are dropped and counted."""


class Silence:
    """A listener where nobody is to be told."""

    def __call__(self, event: Event) -> None:
        """Do nothing."""

    def close(self, patience: float = AT_THE_END) -> str:  # noqa: ARG002 - as of a webhook
        """Nothing was left undelivered."""
        return ""


class Webhook:
    """A listener of events: what `wording` has words for is posted by a thread of its own.

    The address is the user's own and not the target's, so the target's guard is not asked; but no redirect
    is followed away from it, and of an answer only the status is read. `redact` masks secrets.
    """

    def __init__(
        self, url: str, wording: Callable[[Event], str | None], *, redact: Callable[[str], str]
    ) -> None:
        self._url, self._wording, self._redact = url, wording, redact
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._given = self._arrived = 0
        self._why = "it did not answer in time"
        self._thread = threading.Thread(target=self._post_all, name="campaign-webhook", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Take in what happened; returns at once."""
        text = self._wording(event)
        if text is None:
            return
        self._given += 1
        if self._waiting.qsize() < MOST_WAITING:
            self._waiting.put(text)

    def close(self, patience: float = AT_THE_END) -> str:
        """Wait `patience` seconds at most; then a sentence on what was not delivered, "" where all was."""
        self._waiting.put(None)
        self._thread.join(patience)
        self._over.set()
        lost = self._given - self._arrived
        if not lost:
            return ""
        host = urlsplit(self._url).netloc
        told = "1 message was" if lost == 1 else f"{lost} messages were"
        return self._redact(f"{told} not delivered to the webhook at {host} (notify.webhook): {self._why}")

    def _post_all(self) -> None:
        with asyncio.Runner() as runner:
            while not self._over.is_set() and (text := self._waiting.get()) is not None:
                if why := runner.run(self._delivered(text)):
                    self._why = why
                else:
                    self._arrived += 1

    async def _delivered(self, text: str) -> str:
        """Why a message did not arrive, "" where it did."""
        why = ""
        # Plain http is for receivers on this machine alone, which no proxy would find.
        proxied = self._url.startswith("https:")
        async with httpx.AsyncClient(trust_env=proxied, timeout=PATIENCE) as client:
            for pause in PAUSES:
                await asyncio.sleep(pause)
                if self._over.is_set() or not (why := await self._attempt(client, text)):
                    break
        return why

    async def _attempt(self, client: httpx.AsyncClient, text: str) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                request = client.stream("POST", self._url, json={"text": text}, follow_redirects=False)
                async with request as answer:
                    return "" if answer.is_success else f"it answered {answer.status_code}"
        except (TimeoutError, httpx.TimeoutException):
            return f"it did not answer within {PATIENCE:g} s"
        except Exception as error:  # noqa: BLE001 - whatever a receiver does, it ends no campaign
            return f"{type(error).__name__}: {error}".rstrip(": ")
