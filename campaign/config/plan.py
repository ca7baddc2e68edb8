"""A campaign file that was read and found right: what the runner runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaign.config.phases import PlannedPhase
from campaign.monitor.alerts import AlertRule
from campaign.scoring import Policy
from campaign.target.spec import TargetSpec, Vocabulary

__all__ = ["Campaign", "MonitorSettings", "NotifySettings", "PlannedPhase"]


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """How often the machine, the target's process and ourselves are looked at, in seconds, and what is an
    alert.
    """

    interval: float = 1.0
    alerts: tuple[AlertRule, ...] = ()


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Who is told outside: the URL of a webhook ("": nobody), and of what (violation, ended, ...)."""

    webhook: str = ""
    on: tuple[str, ...] = ("violation", "ended")


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
    notify: NotifySettings
    stop_on: frozenset[str]
    secrets: frozenset[str]
    configuration: Mapping[str, Any]
    source: str
