"""What the connections of one run do, as plain data that goes to their worker, and what they write down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaign.errors import CampaignError
from campaign.target.spec import OperationSpec, TargetSpec
from phases.safety.content.verdict import Outcome, Rule


@dataclass(frozen=True, slots=True)
class Job:
    """One text to be checked, under a key that is unique in the run.

    `joined`: its turns belong to one conversation, and it is blocked where any of them is; else each begins
    its own, and the last one decides.
    """

    key: str
    turns: tuple[str, ...]
    unsafe: bool
    joined: bool = True


@dataclass(frozen=True, slots=True)
class Work:
    """All jobs of a run, each done once, by whoever is free; `log` is the file that they are written to.

    `people` are the values of the principals whom the connections are, in turn; without them they do `start`
    as users from number `first` on. `patient`: what a limit refuses (429) is tried again a little later.
    """

    arm: str
    target: TargetSpec = field(repr=False)
    check: OperationSpec
    rule: Rule
    jobs: tuple[Job, ...] = field(repr=False)
    log: str
    seed: str
    follow: OperationSpec | None = None
    delivered: OperationSpec | None = None
    start: tuple[OperationSpec, ...] = ()
    people: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    first: int = 1
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one job: times in µs, of the service from when it was sent, and from when it was due.

    `said` is the masked answer and `curl` the command that sends it again, where it went wrong.
    """

    key: str
    outcome: Outcome
    status: int = 0
    service_us: int = 0
    response_us: int = 0
    ended_ns: int = 0
    why: str = ""
    said: str = ""
    curl: str = ""

    @property
    def line(self) -> str:
        """A line of the log."""
        row = (self.key, self.outcome, self.status, self.service_us, self.response_us, self.ended_ns,
               self.why, self.said, self.curl)  # fmt: skip
        return json.dumps(row) + "\n"


def read_log(path: Path) -> dict[str, Checked]:
    """All that was written, by key; a line that a crash cut short is left out."""
    checked: dict[str, Checked] = {}
    if not path.exists():
        return checked
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                key, outcome, *rest = json.loads(line)
                checked[key] = Checked(key, Outcome(outcome), *rest)
    return checked


class NothingCheckedError(CampaignError):
    """Not one check could be made."""

    slug = "nothing-checked"
