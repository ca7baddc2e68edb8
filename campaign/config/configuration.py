"""A campaign as plain JSON for the report: what the file and what was laid over it say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from campaign.config.models import CampaignModel
from campaign.config.phases import PlannedPhase

LONGEST_FEED = 20
"""Values of a feed that a report repeats; of a longer one it gives the number."""


def configuration_of(model: CampaignModel, phases: Iterable[PlannedPhase]) -> dict[str, Any]:
    """Plain data with the keys of the campaign file; secrets are still in it."""
    written = model.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"data", "phases", "scoring"}
    )
    policy = model.scoring.policy()
    return {
        **written,
        "data": {name: _feed(feed.spec(name).values, feed.order) for name, feed in model.data.items()},
        "phases": {
            each.label: {"phase": each.kind, "settings": each.settings.model_dump(mode="json")}
            for each in phases
        },
        "scoring": {
            "weights": dict(policy.weights),
            "required": list(policy.required),
            "pass": policy.pass_mark,
        },
    }


def _feed(values: tuple[Any, ...], order: str) -> dict[str, Any]:
    return {"count": len(values), "order": order, "first": list(values[:LONGEST_FEED])}
