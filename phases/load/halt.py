"""Ends a scenario early: when the phase is stopped, or when a rule of the scenario says so."""

from __future__ import annotations

import asyncio

from campaign.phase import Stop


class Halt:
    """What a scenario waits for to end early; `request` ends this scenario alone."""

    def __init__(self, phase: Stop) -> None:
        self._phase = phase
        self._here = asyncio.Event()

    def request(self) -> None:
        """End the scenario now; asking twice is the same as once."""
        self._here.set()

    async def wait(self) -> None:
        """Return when the scenario is to end, whoever asked for it."""
        waiting = [asyncio.ensure_future(each) for each in (self._phase.wait(), self._here.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
