"""Which checks the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator

from phases.safety.quotas.settings import QuotasSettings, SlotSettings

NOT_MAPPED = {
    "quotas.slots": "the campaign file names nothing of which there may be so many at once (quotas.slots)",
    "quotas.rate": "the campaign file promises no limit on requests (quotas.rate)",
    "quotas.fairness": "the campaign file does not say who floods and who does not (quotas.fairness)",
}
"""What is not tested where the file maps nothing to it, and why."""


def kinds_of(slot: SlotSettings) -> Iterator[str]:
    """The last part of the checks of one kind of slots."""
    if slot.per_user is not None and (slot.limit is None or slot.limit >= slot.per_user):
        yield "per_user"
    if slot.limit is not None:
        yield "global"
    yield from ("refusals", "released", "bursts", "cycles")


def missing(settings: QuotasSettings) -> Iterator[str]:
    """The checks that the file maps nothing to."""
    if not settings.slots:
        yield "quotas.slots"
    if settings.rate is None:
        yield "quotas.rate"
    if settings.fairness is None:
        yield "quotas.fairness"
