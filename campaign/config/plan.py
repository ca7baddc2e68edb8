"""A campaign file that was read and found right: what the runner runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaign.config.phases import PlannedPhase
from campaign.scoring import Policy
from campaign.target.spec import TargetSpec, Vocabulary

__all__ = ["Campaign", "MonitorSettings", "PlannedPhase"]


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """How often the machine, the target's process and ourselves are looked at, in seconds."""

    interval: float = 1.0


@dataclass(frozen=True, slots=True)
class Campaign:
    """Everything a campaign file says, checked.

    `secrets` are texts that must never reach a report. `configuration` is the file as plain JSON with every
    secret masked. `source` is the file's path, or what stands for it.
    """

    name: str
    target: TargetSpec
    vocabulary: Vocabulary
    phases: tuple[PlannedPhase, ...]
    scoring: Policy
    monitor: MonitorSettings
    secrets: frozenset[str]
    configuration: Mapping[str, Any]
    source: str
