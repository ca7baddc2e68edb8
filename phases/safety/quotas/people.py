"""Principals for the limits: each an account of its own, made when it is needed and removed with the cast."""

from __future__ import annotations

from dataclasses import dataclass, field

from campaign.errors import CampaignError
from phases.safety.cast.principal import Principal
from phases.safety.scene import Scene

FAMILY = "Q"
"""The family of all of them, so that no other part takes them for its own."""


class NobodyError(CampaignError):
    """A principal that a limit is tried with could not be made."""

    slug = "no-principal"


@dataclass(slots=True)
class People:
    """Those who were made so far, by role."""

    scene: Scene
    made: dict[str, list[Principal]] = field(default_factory=dict)

    async def of(self, role: str, count: int) -> list[Principal]:
        """So many of a role, "" being the first that the file names. Raises NobodyError."""
        settings = self.scene.settings
        name = role or next((each for each, how in settings.roles.items() if not how.of), "")
        if name not in settings.roles:
            raise NobodyError(
                f"the campaign file has no role {role!r}" if role else "the file names no roles"
            )
        known = self.made.setdefault(name, [])
        while len(known) < count and not self.scene.stopping:
            known.append(await self._one(name))
        if len(known) < count:
            raise NobodyError("the run was stopped")
        return known[:count]

    async def _one(self, role: str) -> Principal:
        above = self.scene.settings.roles[role].of
        parent = await self._one(above) if above else None
        made = await self.scene.cast.more(role, FAMILY, parent=parent)
        if made.trouble:
            raise NobodyError(f"{made.name} could not be made: {made.trouble}")
        return made
