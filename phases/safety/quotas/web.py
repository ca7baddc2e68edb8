"""Doors of a service: slots over HTTP, and WebSockets that are slots while they are open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException

from campaign.target.jsonpath import MISSING, compile_path
from campaign.target.scope import Scope
from phases.safety.cast.principal import Heard, Principal
from phases.safety.quotas.door import Entry, Said
from phases.safety.quotas.settings import Refusal, SlotSettings

QUIET = 0.4
"""Seconds that a socket must stay open where nothing is said over it, to count as let in."""

BUSY = (429, 503)
PAUSE, TRIES = 0.25, 12
"""Seconds to wait, and how often, where a limit on requests is in the way."""

PATIENCE = 10.0
"""Seconds that we wait for a word over a socket."""


def read_refusal(
    status: int | None, headers: Mapping[str, str], body: bytes, *, refusal: Refusal
) -> tuple[Said, str]:
    """What a refusal is, and what is wrong with it."""
    if status is None:
        return Said.LOST, "no answer"
    if status not in refusal.codes:
        return Said.IMPROPER, f"refused with {status}"
    if refusal.json_path is not None:
        found = _at(body, refusal.json_path)
        if found != refusal.equals:
            return Said.ELSEWHERE, f"refused with {status} by another limit ({_short(found)})"
    if refusal.retry_after and not usable_retry_after(headers.get("retry-after", "")):
        return Said.IMPROPER, f"refused with {status} without a usable Retry-After"
    return Said.REFUSED, ""


def usable_retry_after(text: str) -> bool:
    """Whether it says when to come back: seconds, or a date (RFC 9110, section 10.2.3)."""
    if text.strip().isdecimal():
        return True
    try:
        return parsedate_to_datetime(text) is not None
    except (TypeError, ValueError):
        return False


def _at(body: bytes, path: str) -> Any:
    try:
        return compile_path(path)(json.loads(body.decode()))
    except (ValueError, RecursionError):
        return MISSING


def _short(found: Any) -> str:
    return "no such place in the answer" if found is MISSING else str(found)[:60]


async def patiently(principal: Principal, operation: str, *, scope: Scope | None = None) -> Heard:
    """What came of an exchange that is no try for a slot: a limit on requests is waited for."""
    for _ in range(TRIES):
        heard = await principal.do(operation, scope=scope, save=False)
        if heard.status not in BUSY:
            break
        await asyncio.sleep(PAUSE)
    return heard


class Web:
    """What both doors share: the principals, and the service's own counter."""

    def __init__(self, people: Sequence[Principal], settings: SlotSettings) -> None:
        self.people = people
        self.settings = settings

    async def count(self) -> int | None:
        """What the service counts; None where the file names no counter, or there is no number."""
        counter = self.settings.counter
        if counter is None or isinstance(counter, str):
            return None
        heard = await patiently(self.people[0], counter.operation)
        found = _at(heard.body, counter.json_path) if heard.ok else MISSING
        return found if isinstance(found, int) and not isinstance(found, bool) else None


class HttpDoor(Web):
    """Slots that an operation takes and another one gives back."""

    async def ask(self, users: Sequence[int]) -> list[Entry]:
        """One `start` by each, all at once."""
        return list(await asyncio.gather(*(self._start(self.people[user]) for user in users)))

    async def _start(self, principal: Principal) -> Entry:
        scope = principal.another_word()
        assert self.settings.start is not None  # noqa: S101 - whoever made this door has looked
        heard = await principal.do(self.settings.start, scope=scope)
        if heard.ok:
            return Entry(Said.ACCEPTED, handle=(principal, scope), exchange=heard.id)
        return self._refused(heard)

    def _refused(self, heard: Heard) -> Entry:
        said, why = read_refusal(heard.status, heard.headers, heard.body, refusal=self.settings.refused)
        return Entry(said, heard.why if said is Said.LOST else why, exchange=heard.id)

    async def leave(self, entry: Entry) -> str:
        """One `stop` with what the start has saved."""
        principal, scope = entry.handle
        assert self.settings.stop is not None  # noqa: S101
        heard = await patiently(principal, self.settings.stop, scope=scope)
        return "" if heard.ok else f"{self.settings.stop}: {heard.why} [{heard.id}]"


class SocketDoor(Web):
    """Slots that a socket holds while it is open."""

    async def ask(self, users: Sequence[int]) -> list[Entry]:
        """One socket by each, all at once."""
        return list(await asyncio.gather(*(self._open(self.people[user]) for user in users)))

    async def _open(self, principal: Principal) -> Entry:
        assert self.settings.websocket is not None  # noqa: S101 - whoever made this door has looked
        try:
            socket = await principal.connected(self.settings.websocket)
        except InvalidStatus as error:
            answer = error.response
            headers = {name.lower(): value for name, value in answer.headers.raw_items()}
            said, why = read_refusal(
                answer.status_code, headers, bytes(answer.body or b""), refusal=self.settings.refused
            )
            return Entry(said, why)
        except (InvalidHandshake, WebSocketException, OSError, TimeoutError) as error:
            return Entry(Said.LOST, f"{type(error).__name__}: {error}")
        return await self._let_in(principal, socket)

    async def _let_in(self, principal: Principal, socket: ClientConnection) -> Entry:
        """Whether it is let in: what it says is answered, or it stays open."""
        assert self.settings.websocket is not None  # noqa: S101
        script = principal.operations[self.settings.websocket].script
        last = b""
        try:
            if script is None or not script.messages:
                async with asyncio.timeout(QUIET):
                    while True:
                        await socket.recv()
            await socket.send(script.message(principal.scope).decode("utf-8", "replace"))
            wanted = script.reply(principal.scope).encode()
            async with asyncio.timeout(PATIENCE):
                while wanted not in (last := _bytes(await socket.recv())):
                    continue
        except TimeoutError:
            if script is None or not script.messages:
                return Entry(Said.ACCEPTED, handle=socket)
            await socket.close()
            return Entry(Said.LOST, "no reply over the socket")
        except ConnectionClosed as closed:
            return self._closed(closed, last)
        return Entry(Said.ACCEPTED, handle=socket)

    def _closed(self, closed: ConnectionClosed, last: bytes) -> Entry:
        """A socket that was opened and closed: its code says why; there is no Retry-After in a close."""
        code = closed.rcvd.code if closed.rcvd else None
        plain = self.settings.refused.model_copy(update={"retry_after": False})
        said, why = read_refusal(code, {}, last, refusal=plain)
        return Entry(said, "the connection broke" if said is Said.LOST else why)

    async def leave(self, entry: Entry) -> str:
        """Close the socket."""
        try:
            await entry.handle.close()
        except (WebSocketException, OSError) as error:
            return f"the socket could not be closed: {error}"
        return ""


def _bytes(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message
