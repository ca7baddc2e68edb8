"""What of a scenario's figures may be our own doing: a saturated, late or frozen generator."""

from __future__ import annotations

from typing import Any

from campaign.load.generator import MAX_FREEZE
from phases.load.metrics import METRICS
from phases.load.unsent import too_many_unsent


def saturation(scenario: dict[str, Any]) -> str:
    """Why our own generator is not to be trusted, or ""."""
    return _ours(scenario["generator"]["saturation"])


def delay(scenario: dict[str, Any]) -> str:
    """Why times may seem longer than the target took, or "": we sent late, or saw answers late."""
    return _ours(scenario["generator"].get("delay", ""))


def our_fault(scenario: dict[str, Any], metric: str) -> str:
    """Why a bad figure is ours and not the target's: too little load, or a silence that was our own."""
    if metric == "longest_stall":
        return saturation(scenario) if _froze(scenario) else ""
    if metric not in ("load_reached", "rate"):
        return ""
    return saturation(scenario) or ("requests could not be sent" if too_many_unsent(scenario) else "")


def our_abort(scenario: dict[str, Any], metric: str) -> str:
    """Why a rule on this metric may have been met without the target, or ""."""
    if scenario["generator"].get("workers_lost") or _froze(scenario):
        return saturation(scenario)
    if metric in METRICS and METRICS[metric].is_lengthened:
        return delay(scenario)
    return our_fault(scenario, metric)


def _froze(scenario: dict[str, Any]) -> bool:
    longest: float = scenario["generator"].get("longest_lag", 0.0)
    return longest > MAX_FREEZE


def _ours(why: str) -> str:
    return f"our own load generator was saturated: {why}" if why else ""
