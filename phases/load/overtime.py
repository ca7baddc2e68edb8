"""What a finding on a limit over seconds on end says beside its figure: from when to when, and how bad."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from campaign.records import Finding
from campaign.units import format_quantity


def with_stretch(finding: Finding, scenario: dict[str, Any]) -> Finding:
    """The same finding; its message names the longest stretch beyond the limit, if there was one."""
    stretch = scenario.get("windows", {}).get(finding.check)
    if stretch is None or finding.limit is None:
        return finding
    seconds, worst = (
        stretch["ended"] - stretch["began"],
        format_quantity(stretch["worst"], finding.limit.unit),
    )
    where = f"from {stretch['began']} s to {stretch['ended']} s after the scenario began"
    return replace(
        finding, message=f"{finding.message}; longest beyond it {seconds} s, {where}, at worst {worst}"
    )
