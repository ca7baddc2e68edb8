"""What a part of the phase is given, and what it must offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from campaign.database.server import Server
from campaign.database.territory import Territory
from campaign.phase import PhaseContext, Progress
from campaign.records import Evidence, Finding

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings

TROUBLE = "trouble"
"""The fact that maps a part's name to why it could not be done, where it could not."""


STORES = "stores"
"""The fact that names the stores which the target has: "database", "redis"."""

KEPT_RUNNING = "kept_running"
"""The fact that says whether the database's server kept running: "yes", "restarted", "gone", or "full" where
it takes no further session of ours, so that nobody knows.
"""

TERRITORY = "territory"
"""The fact on our own place in the database: its `name`, and once it was to be dropped what is `left` of it
(bool) and `why`.
"""

NAMED = "named"
"""The fact that names the sections which the campaign file has."""


@dataclass(slots=True)
class Scene:
    """What the parts share. `server` is None where the target has no database, `redis` "" where it has no
    Redis; `territory` is a place for tables of our own, None where we may make none, and `no_territory` why.
    `share` is how much of the phase was done when this part began, `troubles` why parts could not be done.
    `before` is what the stores said before the campaign began.
    """

    context: PhaseContext
    settings: DatabaseSettings
    server: Server | None
    redis: str
    territory: Territory | None
    no_territory: str = ""
    share: float = 0.0
    part_share: float = 0.0
    troubles: dict[str, str] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stopping(self) -> bool:
        """Whether the part should come to its end now."""
        return self.context.stop.requested

    def tell(self, message: str, share: float = 0.0, **figures: float) -> None:
        """Say how far the part is: `share` 0..1 of itself, and a few words."""
        whole = min(1.0, self.share + share * self.part_share)
        self.context.notify(Progress(whole, message, figures))


class Part(Protocol):
    """One part of the phase, with a name of its own for facts, findings and `skip`."""

    @property
    def name(self) -> str:
        """Its facts are under this name, its measurements and findings begin with it and a dot."""

    @property
    def needs(self) -> str:
        """What it cannot be without: "database", "redis", "territory" (tables of our own), or ""."""

    def wanted(self, settings: DatabaseSettings) -> bool:
        """Whether the campaign file asks for it, apart from `skip`."""

    def seconds(self, settings: DatabaseSettings) -> float:
        """How long it takes, about."""

    async def collect(self, scene: Scene) -> None:
        """Observe and record. What it raises ends this part only, and is recorded as its trouble."""

    def judge(self, evidence: Evidence, settings: DatabaseSettings) -> Iterator[Finding]:
        """One finding per planned check, also for what was never reached. Pure."""


def facts_of(evidence: Evidence, part: str) -> dict[str, Any]:
    """What a part recorded under its name; empty where it recorded nothing."""
    found = evidence.facts.get(part)
    return found if isinstance(found, dict) else {}


def trouble_of(evidence: Evidence, part: str) -> str:
    """Why a part could not be done, as a phrase; "" where it was done."""
    trouble = evidence.facts.get(TROUBLE)
    if isinstance(trouble, dict) and part in trouble:
        return str(trouble[part])
    return "" if part in evidence.facts else "it was never reached"
