"""The safety phase: may any child's data reach another, is consent kept, is what is deleted gone, does the
filter hold; under load and during faults.

Found through the entry point `safety` of the group `campaign.phases`. It is made of parts (`parts.py`), each
a package of its own that records probes under its own name and judges those alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from campaign.phase import PhaseContext, PhaseInfo
from campaign.records import Evidence, Finding
from campaign.target.spec import Vocabulary
from phases.safety.settings import SafetySettings

PARTIALS: tuple[str, ...] = (
    "isolation", "sessions", "consent", "transport", "crowd", "deletion", "retention",
    "audio", "parties", "content", "quotas",
)  # fmt: skip
"""The parts in the order in which the page shows them, each with a template of its own."""

INFO = PhaseInfo(
    name="safety",
    title="Child safety",
    summary="No child reaches another's data; consent, deletion, retention, the filter, the limits.",
    requires=(),
    settings=SafetySettings,
    partial=(
        "phases.safety",
        "partial.html",
        *(f"{name}/partial.html" for name in PARTIALS),
        "exchanges.html",
    ),
    gives=("text", "item", "secret", "audio"),
)


class SafetyPhase:
    """The phase as the runner sees it."""

    info = INFO

    async def collect(self, context: PhaseContext) -> None:
        """Make the cast, run every part, remove everybody, recording as it goes."""
        from phases.safety.collect import run_parts  # noqa: PLC0415 - drivers are loaded when it runs

        await run_parts(context)

    def judge(self, evidence: Evidence, settings: Any) -> tuple[Finding, ...]:
        """The findings of every part, also of those that were never reached."""
        from phases.safety.judge import judge_safety  # noqa: PLC0415

        chosen: SafetySettings = settings
        return tuple(judge_safety(evidence, chosen))

    def breaks(self, settings: Any) -> bool:
        """Whether the crowd is tried with a fault, which the file must allow."""
        from phases.safety.parts import asked  # noqa: PLC0415

        chosen: SafetySettings = settings
        crowd = next((part for part in asked(chosen) if part.name == "crowd"), None)
        return crowd is not None and crowd.wanted(chosen) and chosen.crowd.fault is not None

    def foretell(self, settings: Any, vocabulary: Vocabulary) -> Iterable[str]:
        """The matrix that would be tried, and the routes of the OpenAPI document that nobody asks."""
        from phases.safety.foretold import lines  # noqa: PLC0415

        return lines(settings, vocabulary)

    def seconds(self, settings: Any) -> float:
        """What the parts say, added up."""
        from phases.safety.parts import asked  # noqa: PLC0415

        chosen: SafetySettings = settings
        return 5.0 + sum(part.seconds(chosen) for part in asked(chosen) if part.wanted(chosen))
