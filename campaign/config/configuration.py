"""A campaign as plain JSON for the report: what the file and what was laid over it say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from campaign.config.feeds import FeedModel
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
        "data": {name: _feed(feed, feed.spec(name).values) for name, feed in model.data.items()},
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


def _feed(feed: FeedModel, values: tuple[Any, ...]) -> dict[str, Any]:
    """How many values in which order; those of a file, which may be people's data, are not repeated."""
    told: dict[str, Any] = {"count": len(values), "order": feed.order}
    return {**told, "file": feed.file} if feed.file else {**told, "first": list(values[:LONGEST_FEED])}
