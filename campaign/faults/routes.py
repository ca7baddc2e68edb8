"""Faults on a route of our own: slow, cut, reset, a black hole; a connection through it proves them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from campaign.clock import SECOND, Clock
from campaign.faults.fault import Effect, FaultError, Healed, Injected
from campaign.faults.means import FaultKind, RouteMeans, Strength
from campaign.faults.record import HealStep

OPENERS = (b"", bytes.fromhex("0000000804d2162f"), b"PING\r\n\r\n")
"""What makes a server answer: nothing (it speaks first), what asks PostgreSQL for TLS, and a word that Redis
knows and HTTP refuses. None of them does anything; each is tried on a connection of its own."""

TRY_SECONDS = 0.4
"""How long each may take to be answered while the route is undisturbed."""

MARGIN_SECONDS = 0.6
"""How much longer than expected an answer is waited for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """How a connection through the route went. `how` is `answered`, `closed`, `reset`, `refused` or `silent`;
    `seconds` from `opener`, which was sent, to the answer.
    """

    how: str
    seconds: float
    opener: bytes


class RouteFault:
    """One disturbance of one route."""

    heals_itself = False

    def __init__(
        self, kind: FaultKind, *, role: str, means: RouteMeans, clock: Clock, strength: Strength
    ) -> None:
        """Raises FaultError where a slow route would not be slower."""
        self.subject = role
        self.kind, self.means, self.clock, self.strength = kind, means, clock, strength
        if kind is FaultKind.SLOW and not (strength.latency or strength.jitter or strength.bandwidth):
            raise FaultError(f"{role}: a slow route says how slow: latency, jitter or bandwidth")
        self._before: Reply | None = None

    def describe(self) -> str:
        """What it does, for people."""
        how = self.strength
        if self.kind is not FaultKind.SLOW:
            return f"{self.kind} the route {self.means.name}"
        parts = [f"{how.latency:g} s of latency"] if how.latency else []
        parts += [f"{how.jitter:g} s of jitter"] if how.jitter else []
        parts += [f"{how.bandwidth:g} B/s"] if how.bandwidth else []
        return f"slow the route {self.means.name} ({', '.join(parts)})"

    async def look(self) -> tuple[HealStep, ...]:
        """How it answers undisturbed. Raises FaultError where nothing gets through."""
        for opener in OPENERS:
            self._before = await self._reply(TRY_SECONDS, opener)
            if self._before.how != "silent":
                break
        host, port = self.means.listen
        if self._before is None or self._before.how in {"refused", "reset"}:
            raise FaultError(
                f"the route {self.means.name} at {host}:{port} does not work before the fault: "
                "connections are refused or reset"
            )
        return (HealStep("route", {"name": self.means.name}, {}, ()),)

    async def inject(self) -> Injected:
        """Disturb it. Raises FaultError."""
        how, kind = self.strength, self.kind
        slow = kind is FaultKind.SLOW
        sent = self.clock.now_ns()
        await self.means.routes.set(
            self.means.name,
            latency=how.latency if slow else 0.0,
            jitter=how.jitter if slow else 0.0,
            bandwidth=how.bandwidth if slow else 0.0,
            cut=kind is FaultKind.CUT,
            reset=kind is FaultKind.RESET,
            blackhole=kind is FaultKind.BLACKHOLE,
        )
        return Injected(sent, self.clock.now_ns())

    async def took_effect(self) -> Effect:
        """How a connection through it goes now, against how it went before."""
        before = self._before
        if before is None:
            return Effect(proved=False, detail="it was not looked at before")
        expected = before.seconds + self.strength.latency + self.strength.jitter
        now = await self._reply(expected + MARGIN_SECONDS, before.opener)
        if self.kind in {FaultKind.CUT, FaultKind.RESET}:
            proved = now.how in {"refused", "reset"} or (now.how == "closed" and before.how != "closed")
            return Effect(proved, f"a connection through it is {now.how}; before, it was {before.how}")
        if before.how == "silent":
            return Effect(
                proved=False, detail="what is behind it answers nothing that we may send, so nothing shows"
            )
        if self.kind is FaultKind.BLACKHOLE:
            return Effect(
                now.how == "silent", f"a connection through it is {now.how}; before, it was {before.how}"
            )
        return self._slower(before, now)

    def _slower(self, before: Reply, now: Reply) -> Effect:
        least = max(self.strength.latency - self.strength.jitter, 0.0) * 0.8
        took = f"an answer took {now.seconds:.3f} s, and {before.seconds:.3f} s before"
        if not least:
            return Effect(
                proved=False, detail=f"{took}; without a latency above the jitter one answer shows nothing"
            )
        return Effect(now.how == "silent" or now.seconds - before.seconds >= least, took)

    async def heal(self) -> Healed:
        """Let all through again, and see that it goes as before."""
        started = self.clock.now_ns()
        before = self._before
        if before is None:
            return Healed(started, None, None, restored=True, detail="nothing was broken")
        try:
            await self.means.routes.clear(self.means.name)
        except FaultError as error:
            return Healed(started, None, None, restored=False, detail=str(error))
        cleared = self.clock.now_ns()
        now = await self._reply(TRY_SECONDS + before.seconds, before.opener)
        if now.how in {"refused", "reset"}:
            return Healed(started, None, None, restored=False, detail=f"connections through it are {now.how}")
        return Healed(started, cleared, None, restored=True, detail=f"a connection through it is {now.how}")

    async def _reply(self, seconds: float, opener: bytes) -> Reply:
        """How a connection goes, on which the opener is given so many seconds."""
        began = self.clock.now_ns()
        try:
            async with asyncio.timeout(seconds + MARGIN_SECONDS):
                reader, writer = await asyncio.open_connection(*self.means.listen)
        except TimeoutError:
            return Reply("silent", self._since(began), opener)
        except ConnectionResetError:
            return Reply("reset", self._since(began), opener)
        except OSError:
            return Reply("refused", self._since(began), opener)
        began = self.clock.now_ns()
        try:
            writer.write(opener)
            async with asyncio.timeout(seconds):
                data = await reader.read(1)
            return Reply("answered" if data else "closed", self._since(began), opener)
        except TimeoutError:
            return Reply("silent", self._since(began), opener)
        except ConnectionError:
            return Reply("reset", self._since(began), opener)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _since(self, began: int) -> float:
        return (self.clock.now_ns() - began) / SECOND
