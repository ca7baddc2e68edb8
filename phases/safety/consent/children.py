"""A fresh child for each probe, so that no state of consent lasts into the next one."""

from __future__ import annotations

from campaign.errors import CampaignError
from phases.safety.cast.principal import Principal
from phases.safety.scene import Scene


async def fresh_child(scene: Scene) -> Principal:
    """One more child of the first family, for one probe. Raises CampaignError where there is no parent."""
    role = scene.settings.consent.role
    above = scene.settings.roles[role].of
    parents = scene.cast.of(above, "A") if above else []
    if above and not parents:
        raise CampaignError(f"no {above} of family A could be made")
    return await scene.cast.more(role, "A", parent=parents[0] if parents else None)
