"""The access log of the demo target, for the phase that looks whether it says anything of people."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaign.cli.wishes import Key
from campaign.records import ReasonKind
from campaign.runner.plan import Step

PHASE = "safety"
OPTION = "--demo"


@dataclass(frozen=True, slots=True)
class DemoLog:
    """Where the log will be, in a folder of its own. `sections` are those that look into it, each below the
    label of its phase.
    """

    folder: Path
    sections: tuple[tuple[str, str], ...]

    @property
    def file(self) -> str:
        """The path of the log."""
        return str(self.folder / "access.log")

    @contextmanager
    def in_place(self) -> Iterator[tuple[str, ...]]:
        """The options for the demo; the folder is there inside and gone afterwards."""
        self.folder.mkdir(mode=0o700)
        try:
            yield ("--access-log", self.file)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def overrides(self) -> dict[Key, tuple[Any, str]]:
        """What the phases must know of it, to lay over the campaign file."""
        return {("phases", label, section, "logs"): ([self.file], OPTION) for label, section in self.sections}


def demo_log(steps: Iterable[Step]) -> DemoLog | None:
    """A log for the phases of this plan that look into one and name none; None: there are none of those."""
    sections = tuple((step.label, section) for step in steps for section in _looking(step))
    folder = Path(tempfile.gettempdir(), f"campaign-demo-{secrets.token_hex(6)}")
    return DemoLog(folder, sections) if sections else None


def _looking(step: Step) -> Iterator[str]:
    """The sections of its settings that would look into a log, and have none."""
    if step.phase.info.name != PHASE:
        return
    if step.left_out is not None and step.left_out.kind is ReasonKind.REQUESTED:
        return
    for section, wanted in (("transport", "operations"), ("deletion", "delete")):
        own = getattr(step.settings, section, None)
        if own and getattr(own, wanted) and not own.logs:
            yield section
