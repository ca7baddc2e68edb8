"""The run's side of the TCP fault proxy: routes that the target goes through, and that its guardian holds."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from campaign.faults.alive import alive
from campaign.faults.fault import FaultError
from campaign.faults.place import lingering_file
from campaign.faults.watch import Watch

GONE_SECONDS = 5.0
"""How long a dead run's guardian may take to close its routes once it is asked to."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Detour:
    """An open route; `listen` is where the target connects to."""

    name: str
    listen: Address
    watch: Callable[[], Watch]

    async def set(
        self,
        *,
        latency: float = 0,
        jitter: float = 0,
        bandwidth: float = 0,
        cut: bool = False,
        reset: bool = False,
        blackhole: bool = False,
    ) -> None:
        """Disturb it so, instead of what was before: seconds, seconds either way, bytes per second.

        Raises FaultError.
        """
        how = {"latency": latency, "jitter": jitter, "bandwidth": bandwidth}
        await self.watch().ask("set", name=self.name, **how, cut=cut, reset=reset, blackhole=blackhole)

    async def clear(self) -> None:
        """Let all through as it comes. Raises FaultError."""
        await self.watch().ask("clear", name=self.name)


class Detours:
    """The routes of a run; they are there until its breaker is left."""

    def __init__(self, watch: Callable[[], Watch], *, state: str) -> None:
        self._watch, self._state = watch, state

    async def open(self, name: str, listen: Address, to: Address) -> Detour:
        """A new route from `listen` (port 0: a free one) to `to`, undisturbed.

        A route that a dead run has left at that address is taken over. Raises FaultError where it cannot be.
        """
        try:
            said = await self._ask(name, listen, to)
        except FaultError:
            if not await self._taken_over(listen):
                raise
            said = await self._ask(name, listen, to)
        host, port = said
        return Detour(name, (host, port), self._watch)

    async def set(
        self,
        name: str,
        *,
        latency: float = 0,
        jitter: float = 0,
        bandwidth: float = 0,
        cut: bool = False,
        reset: bool = False,
        blackhole: bool = False,
    ) -> None:
        """Disturb an open route, as `Detour.set` does. Raises FaultError."""
        how = {"latency": latency, "jitter": jitter, "bandwidth": bandwidth}
        await self._watch().ask("set", name=name, **how, cut=cut, reset=reset, blackhole=blackhole)

    async def clear(self, name: str) -> None:
        """Let all through an open route as it comes. Raises FaultError."""
        await self._watch().ask("clear", name=name)

    async def _ask(self, name: str, listen: Address, to: Address) -> Address:
        try:
            said = await self._watch().ask("open", name=name, listen=listen, to=to)
        except FaultError as error:
            where = f"{listen[0]}:{listen[1]} to {to[0]}:{to[1]}"
            raise FaultError(f"the route {name} from {where} cannot be opened: {error}") from error
        return str(said["listen"][0]), int(said["listen"][1])

    async def _taken_over(self, listen: Address) -> bool:
        """Whether a dead run's guardian held that address, and holds it no more."""
        process, start = _lingering(Path(lingering_file(self._state, *listen)))
        if not alive(process, start):
            return False
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(GONE_SECONDS):
                while alive(process, start):  # noqa: ASYNC110 - the end of a process that is not our child
                    await asyncio.sleep(0.02)
        return not alive(process, start)


def _lingering(file: Path) -> tuple[int, int]:
    """The process that says it holds a dead run's route, and its start; 0 where there is none."""
    try:
        process, start = file.read_text(encoding="utf-8").split()
        return int(process), int(start)
    except (OSError, ValueError):
        return 0, 0
