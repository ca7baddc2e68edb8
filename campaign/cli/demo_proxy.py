"""The way to third parties of the demo target: through the recorder of the phase that looks there."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from campaign.cli.wishes import Key
from campaign.records import ReasonKind
from campaign.runner.plan import Step

PHASE = "safety"
OPTION = "--demo"


@dataclass(frozen=True, slots=True)
class DemoProxy:
    """The port where outgoing calls will be recorded. `labels` are those of the phases that do."""

    port: int
    labels: tuple[str, ...]

    @contextmanager
    def in_place(self) -> Iterator[tuple[str, ...]]:
        """The options for the demo; the phase itself listens, for as long as it looks."""
        yield ("--outgoing-proxy", f"127.0.0.1:{self.port}")

    def overrides(self) -> dict[Key, tuple[Any, str]]:
        """What the phases must know of it, to lay over the campaign file."""
        return {("phases", label, "parties", "listen"): (self.port, OPTION) for label in self.labels}


def demo_proxy(steps: Iterable[Step]) -> DemoProxy | None:
    """A port that is free now, for the phases of this plan that record and name none; None: none do."""
    labels = tuple(step.label for step in steps if _records(step))
    if not labels:
        return None
    with socket.create_server(("127.0.0.1", 0)) as free:
        return DemoProxy(free.getsockname()[1], labels)


def _records(step: Step) -> bool:
    if step.phase.info.name != PHASE:
        return False
    if step.left_out is not None and step.left_out.kind is ReasonKind.REQUESTED:
        return False
    parties = getattr(step.settings, "parties", None)
    return bool(parties and parties.use and parties.listen is None)
