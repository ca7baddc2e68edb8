"""What phases want in place while other phases run, from before the first to after the last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from campaign.phase import Standing
from campaign.runner.judging import told
from campaign.runner.plan import Step


class Stand:
    """See `standing`, which makes it."""

    def __init__(self, steps: tuple[Step, ...], warn: Callable[[str], None]) -> None:
        self._steps, self._warn = steps, warn
        self._open: dict[str, AsyncExitStack] = {}

    async def beside(self, step: Step | None) -> None:
        """Have all in place but what `step` itself wants, which is about to run (None: no phase is)."""
        if step is not None and (own := self._open.pop(step.label, None)) is not None:
            await own.aclose()
        for other in self._steps:
            if other is not step and other.label not in self._open and isinstance(other.phase, Standing):
                stack = self._open[other.label] = AsyncExitStack()
                if missing := await _entered(stack, other.phase, other.settings):
                    self._warn(f"Beside the other phases {other.label} could not open {missing}.")

    async def end(self) -> None:
        """Take all away."""
        while self._open:
            await self._open.popitem()[1].aclose()


async def _entered(stack: AsyncExitStack, phase: Standing, settings: Any) -> str:
    try:
        return await stack.enter_async_context(phase.standing(settings))
    except Exception as error:  # noqa: BLE001 - a phase may be foreign code
        return told(error)


@asynccontextmanager
async def standing(steps: tuple[Step, ...], warn: Callable[[str], None]) -> AsyncIterator[Stand]:
    """Within this block what the phases of the plan want is in place, also what those want that are left
    out: the target counts on it all the same. `warn` is told what could not be.
    """
    stand = Stand(steps, warn)
    try:
        await stand.beside(None)
        yield stand
    finally:
        await stand.end()
