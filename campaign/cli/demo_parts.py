"""The demo target in parts that the failover phase may break: the service, and its companion on a route."""

from __future__ import annotations

import secrets
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaign.cli.wishes import Key
from campaign.records import ReasonKind
from campaign.runner.plan import Step
from campaign.target.spec import TargetSpec

PHASE = "failover"
COMPANION = "companion"
OPTION = "--demo"


@dataclass(frozen=True, slots=True)
class DemoParts:
    """Where the parts will be: the folder with their pid files, the companion's port, and the port of the
    route on which the service goes to it. `labels` are those of the phases that break them.
    """

    folder: Path
    companion: int
    route: int
    labels: tuple[str, ...]

    @contextmanager
    def in_place(self) -> Iterator[tuple[str, ...]]:
        """The options for the demo; its folder is there inside and gone afterwards."""
        self.folder.mkdir(mode=0o700)
        try:
            yield (
                *("--supervised", str(self.folder), "--companion-port", str(self.companion)),
                *("--companion", f"127.0.0.1:{self.route}"),
            )
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def overrides(self) -> dict[Key, tuple[Any, str]]:
        """What the phases must know of them, to lay over the campaign file."""
        own: dict[str, dict[str, Any]] = {
            "processes": {
                "service": {"pid_file": self._pid_file("service"), "supervised": True},
                COMPANION: {"pid_file": self._pid_file(COMPANION), "start": self._start()},
            },
            "routes": {COMPANION: {"listen": f"127.0.0.1:{self.route}", "to": f"127.0.0.1:{self.companion}"}},
        }
        return {
            ("phases", label, means, role): (given, OPTION)
            for label in self.labels
            for means, roles in own.items()
            for role, given in roles.items()
        }

    def are_all(self, step: Step, target: TargetSpec) -> bool:
        """Whether the phase of this step can break nothing else; its settings are of its own kind."""
        if step.label not in self.labels:
            return False
        given = step.settings
        others = {*given.processes, *given.routes} - {"service", COMPANION}
        return not (target.containers or given.commands or others)

    def _pid_file(self, part: str) -> str:
        return str(self.folder / f"{part}.pid")

    def _start(self) -> str:
        """The companion as the supervisor starts it; it ends when the supervisor does."""
        command = [
            *(sys.executable, "-m", "campaign.demo.companion_service", "--port", str(self.companion)),
            *("--pid-file", self._pid_file(COMPANION), "--while", self._pid_file("supervisor")),
        ]
        return shlex.join(command)


def demo_parts(steps: Iterable[Step]) -> DemoParts | None:
    """Parts for the phases of this plan that break them, None where there is none of those; on ports that
    are free now, and nothing is there yet.
    """
    labels = tuple(_breaking(steps))
    if not labels:
        return None
    folder = Path(tempfile.gettempdir(), f"campaign-demo-{secrets.token_hex(6)}")
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return DemoParts(folder, one.getsockname()[1], other.getsockname()[1], labels)


@dataclass(frozen=True, slots=True)
class DemoStandstill:
    """A demo that stands still for a moment among its children: the safety phase may break what is our own.
    `labels` are those of the phases that have a crowd, and name no fault.
    """

    labels: tuple[str, ...]

    @contextmanager
    def in_place(self) -> Iterator[tuple[str, ...]]:
        """No options: the phase itself makes the fault."""
        yield ()

    def overrides(self) -> dict[Key, tuple[Any, str]]:
        """What the phases may do, to lay over the campaign file."""
        return {
            ("phases", label, "crowd", "during_fault"): ({"lasts": "2s"}, OPTION) for label in self.labels
        }


def demo_standstill(steps: Iterable[Step]) -> DemoStandstill | None:
    """A standstill for the phases of this plan that have a crowd; None where there is none of those."""
    crowds = ((step, getattr(step.settings, "crowd", None)) for step in steps if step.left_out is None)
    labels = tuple(
        step.label for step, crowd in crowds
        if step.phase.info.name == "safety" and crowd and crowd.kinds and crowd.fault is None
    )  # fmt: skip
    return DemoStandstill(labels) if labels else None


def breaks_the_demo_alone(step: Step) -> bool:
    """Whether a step would break the process of the target and nothing else, which with --demo is our own."""
    fault = getattr(getattr(step.settings, "crowd", None), "fault", None)
    return fault is not None and bool(fault.own_target)


def _breaking(steps: Iterable[Step]) -> list[str]:
    """The labels of the steps that would break the demo, those included that do not know its parts yet."""
    return [
        step.label
        for step in steps
        if step.phase.info.name == PHASE
        and (step.left_out is None or step.left_out.kind is not ReasonKind.REQUESTED)
    ]
