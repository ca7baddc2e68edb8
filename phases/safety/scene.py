"""What a part of the safety phase is given, and what it must offer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from campaign.database.server import Server
from campaign.phase import Alert, PhaseContext, Progress
from campaign.records import Evidence, Finding, Severity
from campaign.redact import mask_personal
from phases.safety.cast.making import Cast
from phases.safety.exchange import Exchanges
from phases.safety.probe import Answered, Probe

if TYPE_CHECKING:
    from phases.safety.settings import SafetySettings

TROUBLE = "trouble"
"""The fact that maps a part's name to why it could not be done, where it could not."""

EXCHANGES = "exchanges"
"""The fact that holds what was sent and answered."""

VIOLATIONS = frozenset({"isolation", "crowd", "consent", "deletion"})
"""Parts whose failed blockers are told the moment they are seen, and may end the campaign."""


@dataclass(slots=True)
class Scene:
    """What the parts share. `cast` is everybody who takes part, `server` the target's database or None,
    `redis` its URL or "". `share` is how much of the phase was done when this part began.
    """

    context: PhaseContext
    settings: SafetySettings
    cast: Cast
    exchanges: Exchanges
    server: Server | None
    redis: str
    share: float = 0.0
    part_share: float = 0.0
    troubles: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    @property
    def stopping(self) -> bool:
        """Whether the part should come to its end now: the user says so, or a violation was told and the
        campaign file says `stop_on: violation`.
        """
        return self.context.stop.requested

    def tell(self, message: str, share: float = 0.0, **figures: float) -> None:
        """Say how far the part is: `share` 0..1 of itself, and a few words."""
        whole = min(1.0, self.share + share * self.part_share)
        self.context.notify(Progress(whole, message, figures))

    def warn(self, check: str, said: str) -> None:
        """Say that children's data is not safe, the moment a check sees it, and once for each check."""
        if check in self.told:
            return
        self.told.add(check)
        text = mask_personal(self.exchanges.redact(f"{check}: {said}"))
        self.context.notify(Progress(min(1.0, self.share), text, alert=Alert("violation", text)))

    def record(self, part: str, probes: Iterable[Probe], **more: Any) -> None:
        """Keep the probes of a part, and further facts of it, on disk; a failed blocker is told at once."""
        kept = list(probes)
        for each in kept:
            if each.answered is not Answered.PASSED:
                self.exchanges.named.update(each.exchanges)
            if each.answered is Answered.FAILED:
                self.exchanges.show(each.exchanges)
        self.context.record.fact(part, {"probes": [each.plain() for each in kept], **more})
        self.context.record.fact(EXCHANGES, self.exchanges.plain())
        self.alert(part, kept)

    def alert(self, part: str, probes: Iterable[Probe]) -> None:
        """Warn of the blockers among them that failed."""
        for each in probes:
            blocker = each.severity is Severity.BLOCKER and each.answered is Answered.FAILED
            if blocker and part in VIOLATIONS:
                self.warn(each.check, each.said)


class Part(Protocol):
    """One part of the phase, with a name of its own for facts, findings and `skip`."""

    @property
    def name(self) -> str:
        """Its facts are under this name, its findings begin with it and a dot."""

    @property
    def needs(self) -> str:
        """What it cannot be without: "database", "redis", or ""."""

    def wanted(self, settings: SafetySettings) -> bool:
        """Whether the campaign file maps anything to it; otherwise its checks are *not tested*."""

    def seconds(self, settings: SafetySettings) -> float:
        """How long it takes, about."""

    async def collect(self, scene: Scene) -> None:
        """Observe and record. What it raises ends this part only, and is recorded as its trouble."""

    def judge(self, evidence: Evidence, settings: SafetySettings) -> Iterator[Finding]:
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
