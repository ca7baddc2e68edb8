"""One principal: who it is, what it knows, and the connections that are its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ssl import SSLContext
from typing import TYPE_CHECKING

from campaign.clock import Clock
from campaign.errors import TargetUnreachableError
from campaign.target.guard import Guard
from campaign.target.http import Answer, ControlClient
from campaign.target.operation import Operation
from campaign.target.request import Request
from campaign.target.scope import Scope
from campaign.target.spec import TargetSpec, TlsSpec
from campaign.target.talk import SWITCHED
from campaign.target.template import Text
from campaign.target.tls import tls_context
from phases.safety.exchange import Exchanges, headers_of

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back. `ok`: as the campaign file expects it, else `why` not; `status` None: no answer.

    `id` names the exchange in the report. `sent` and `ended` are clock nanoseconds.
    """

    operation: str
    id: str
    status: int | None
    ok: bool
    why: str
    body: bytes
    headers: dict[str, str]
    sent: int
    ended: int

    def shows(self, canary: str) -> bool:
        """Whether the canary is in the answer, in its body or in a header."""
        word = canary.encode()
        return word in self.body or any(canary in value for value in self.headers.values())


@dataclass(slots=True)
class Principal:
    """Somebody: `name` ("child A1"), role, family ("A"), and `scope`, which holds what it knows.

    `trouble` says why it could not be made; then it is asked nothing. `parent` is whom it belongs to.
    """

    name: str
    role: str
    family: str
    scope: Scope
    client: ControlClient
    operations: dict[str, Operation]
    exchanges: Exchanges
    clock: Clock
    target: TargetSpec
    seed: int
    credentials: tuple[str, ...] = ()
    auth: Text | None = None
    parent: Principal | None = None
    trouble: str = ""
    undone: list[str] = field(default_factory=list)
    words: int = 0

    @property
    def canary(self) -> str:
        """The word that only this principal's data may hold."""
        return self.scope.canary

    def built(self, operation: str, scope: Scope | None = None) -> Request:
        """The request as it would be sent. Raises RenderError where a value is missing."""
        return self._signed(self.operations[operation].build(scope or self.scope), self.scope)

    async def do(
        self,
        operation: str,
        *,
        scope: Scope | None = None,
        save: bool = True,
        change: Callable[[Request], Request] | None = None,
    ) -> Heard:
        """What came of one exchange, whatever that is. `scope`: with these values instead of its own;
        `change` makes another request of it.

        What the operation saves is kept where `save` says so. Raises RenderError where a value is missing.
        """
        own = scope or self.scope
        compiled = self.operations[operation]
        request = self.built(operation, scope)
        request = change(request) if change else request
        sent = self.clock.now_ns()
        try:
            answer: Answer | str = await self.client.send(request)
        except TargetUnreachableError as error:
            answer = str(error)
        ended = self.clock.now_ns()
        number = self.exchanges.keep(self.name, operation, request, answer)
        if isinstance(answer, str):
            return Heard(operation, number, None, False, answer, b"", {}, sent, ended)
        miss = compiled.expectation.check(
            answer.status, _headers(answer), answer.body, values=own.values if save else {}
        )
        if save and miss is None:
            self.exchanges.made(number, _saved(compiled, own))
        why = miss.detail if miss else ""
        headers = dict(answer.headers)
        return Heard(operation, number, answer.status, miss is None, why, answer.body, headers, sent, ended)

    async def talk(self, operation: str, *, scope: Scope | None = None) -> Heard:
        """What was heard over a WebSocket, as one answer. Raises RenderError and RefusedError."""
        from phases.safety.cast.talk import converse  # noqa: PLC0415 - its library is heavy

        own = scope or self.scope
        compiled = self.operations[operation]
        request = self._signed(compiled.build(own), own if scope is None else self.scope)
        sent = self.clock.now_ns()
        answer = await converse(
            compiled,
            request,
            own,
            headers=headers_of(request),
            guard=Guard(self.target.allow_hosts),
            tls=_tls(self.target.tls),
        )
        ended = self.clock.now_ns()
        number = self.exchanges.keep(self.name, operation, request, answer)
        if isinstance(answer, str):
            return Heard(operation, number, None, False, answer, b"", {}, sent, ended)
        ok = answer.status == SWITCHED
        why = "" if ok else f"status {answer.status}"
        return Heard(operation, number, answer.status, ok, why, answer.body, {}, sent, ended)

    async def connected(self, operation: str) -> ClientConnection:
        """The open socket of a WebSocket operation, which the caller closes. Raises what `dial` does."""
        from phases.safety.cast.talk import dial  # noqa: PLC0415 - its library is heavy

        request = self.built(operation)
        guard = Guard(self.target.allow_hosts)
        return await dial(request, headers=headers_of(request), guard=guard, tls=_tls(self.target.tls))

    def another_word(self) -> Scope:
        """What this principal knows, with a further canary of its own: to tell one thing it sends from all
        others.
        """
        self.words += 1
        number = self.scope.number * FURTHER + self.words
        scope = Scope(number, self.scope.kind, seed=self.seed, feeds=self.scope.feeds, wall=self.scope.wall)
        scope.values = dict(self.scope.values)
        return scope

    def aimed_at(self, victim: Principal) -> Scope:
        """What a forbidden call is built from: all that the victim knows, our own credentials, our canary.

        Where the victim's credentials have another name than ours, ours stand in their place: a toy that
        tries what its parent may do tries it with its own token, though it was made with its parent's.
        """
        scope = Scope(self.scope.number, self.scope.kind, seed=self.seed, feeds=victim.scope.feeds)
        scope.values = dict(victim.scope.values)
        own = next((self.scope.values[name] for name in self.credentials if name in self.scope.values), "")
        for name in {*victim.credentials, *self.credentials}:
            scope.values[name] = self.scope.values.get(name, "") if name in self.credentials else own
        return scope

    def _signed(self, request: Request, scope: Scope) -> Request:
        """The request with our own Authorization, where the role says what that is ("": none)."""
        if self.auth is None:
            return request
        lines = [each for each in request.head.split(b"\r\n") if not each.lower().startswith(AUTHORIZATION)]
        value = self.auth.render(scope).strip()
        if value:
            scheme = "" if " " in value else "Bearer "
            lines.insert(1, f"Authorization: {scheme}{value}".encode("latin-1", "replace"))
        return replace(request, head=b"\r\n".join(lines))


def _saved(operation: Operation, scope: Scope) -> dict[tuple[str, str], str]:
    """What an operation saved, by its name and the path in the answer."""
    return {(name, path): str(scope.values[name]) for name, path in operation.spec.save.items()}


@lru_cache(maxsize=4)
def _tls(spec: TlsSpec) -> SSLContext:
    """The context of these settings; to make one takes 20 ms, in which nobody else is heard."""
    return tls_context(spec)


AUTHORIZATION = b"authorization:"

FURTHER = 1_000_000
"""Numbers of further words of one principal are kept apart from all principals by this factor."""


def _headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in answer.headers.items()
    ]
