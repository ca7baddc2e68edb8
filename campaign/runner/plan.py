"""The plan: every phase of the campaign file with what it needs, and every phase that is left out with its
reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from campaign.config.plan import Campaign
from campaign.errors import ConfigurationError
from campaign.phase import Phase, Situated
from campaign.records import Reason, ReasonKind
from campaign.scoring import DEFAULT_WEIGHTS
from campaign.target.spec import TargetSpec

NEEDS = {
    "database": "target.database",
    "redis": "target.redis",
    "docker": "target.containers",
}
"""What a phase may require, and the key of the campaign file that provides it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One phase of the plan; `left_out` says why it will not run."""

    label: str
    phase: Phase
    settings: Any
    left_out: Reason | None = None

    @property
    def seconds(self) -> float:
        """How long the phase takes, about; 0 when it is left out."""
        return 0.0 if self.left_out else self.phase.seconds(self.settings)


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked for: only these labels (empty: all), not those; in quick form."""

    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    quick: bool = False


def make_plan(campaign: Campaign, phases: dict[str, Phase], *, selection: Selection) -> tuple[Step, ...]:
    """One step per phase of the campaign file, in its order.

    Raises ConfigurationError for an unknown label, or when none is left.
    """
    _check_names(campaign, selection)
    steps = tuple(
        _step(planned.label, phases[planned.kind], planned.settings, campaign.target, selection)
        for planned in campaign.phases
    )
    if all(step.left_out and step.left_out.kind is ReasonKind.REQUESTED for step in steps):
        raise ConfigurationError("--only and --skip leave no phase to run")
    return steps


def _step(label: str, phase: Phase, settings: Any, target: TargetSpec, selection: Selection) -> Step:
    chosen = settings.quick() if selection.quick else settings
    left_out = _left_out(label, phase, target=target, selection=selection)
    return Step(label, phase, chosen, left_out or _lacking(phase, target, chosen))


def _lacking(phase: Phase, target: TargetSpec, settings: Any) -> Reason | None:
    lacks = phase.lacks(target, settings) if isinstance(phase, Situated) else ""
    return Reason(ReasonKind.REQUIREMENT_MISSING, f"needs {lacks}") if lacks else None


def _left_out(label: str, phase: Phase, *, target: TargetSpec, selection: Selection) -> Reason | None:
    names = {label, phase.info.name}
    if names & selection.skip:
        return Reason(ReasonKind.REQUESTED, f"left out on request (--skip {label})")
    if selection.only and not names & selection.only:
        chosen = ", ".join(sorted(selection.only))
        return Reason(ReasonKind.REQUESTED, f"left out on request (--only {chosen})")
    missing = [need for need in phase.info.requires if not _met(need, target)]
    if missing:
        keys = " and ".join(" or ".join(NEEDS[each] for each in need.split("|")) for need in missing)
        return Reason(ReasonKind.REQUIREMENT_MISSING, f"needs {keys} in the campaign file")
    return None


def _met(need: str, target: TargetSpec) -> bool:
    """Whether the target has what is required; of `database|redis` one is enough."""
    return any(each not in NEEDS or _provided(each, target) for each in need.split("|"))


def _provided(need: str, target: TargetSpec) -> bool:
    return bool(target.containers if need == "docker" else target.stores.get(need))


def _check_names(campaign: Campaign, selection: Selection) -> None:
    """Refuse a name that means nothing; a standard phase that is not in the file may be left out."""
    known = {name for planned in campaign.phases for name in (planned.label, planned.kind)}
    for option, unknown in (
        ("--only", selection.only - known),
        ("--skip", selection.skip - known - set(DEFAULT_WEIGHTS)),
    ):
        if unknown:
            allowed = ", ".join(sorted(known))
            raise ConfigurationError(
                f"{option} {min(unknown)}: not a phase of this campaign\n  allowed  {allowed}"
            )


def total_seconds(steps: Iterable[Step]) -> float:
    """How long the whole plan takes, about."""
    return sum(step.seconds for step in steps)
