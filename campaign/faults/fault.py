"""What a fault is: it looks first, breaks one thing, proves that it did, and puts it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from campaign.errors import CampaignError
from campaign.faults.record import HealStep


class FaultError(CampaignError):
    """A fault cannot be made, or not be undone; the text says what, why and what to do about it."""

    slug = "fault"


@dataclass(frozen=True, slots=True)
class Injected:
    """When a fault was made, in clock nanoseconds: the command was sent, and what does it confirmed it."""

    sent_ns: int
    confirmed_ns: int


@dataclass(frozen=True, slots=True)
class Effect:
    """Whether a fault is proved to have happened, and what proves it or is missing, in a few words."""

    proved: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Healed:
    """When it was put back, in clock nanoseconds; None: that moment was not seen.

    `started_ns` is when the first command that puts it back was sent, `running_ns` when it ran again (was
    thawed, routed, ...), `healthy_ns` when its own health check said so. `restored` says whether all of it is
    as it was before, `detail` what was looked at or what is missing. `by_itself`: nothing of ours brought it
    back.
    """

    started_ns: int
    running_ns: int | None
    healthy_ns: int | None
    restored: bool
    detail: str
    by_itself: bool = False


class Fault(Protocol):
    """One thing that breaks one part of the target. Made for one use: look, inject, took_effect, heal."""

    @property
    def subject(self) -> str:
        """The role of what is broken, as the campaign file names it (`database`)."""

    @property
    def heals_itself(self) -> bool:
        """Whether something else (a restart policy, a supervisor) is expected to put it right."""

    def describe(self) -> str:
        """What it does, for people: `stop the container teddy-postgres (grace 10 s)`."""

    async def look(self) -> tuple[HealStep, ...]:
        """How it is now and what would put it back; changes nothing.

        Raises FaultError where it cannot be broken: it is not there, does not run, could not be put back.
        """

    async def inject(self) -> Injected:
        """Break it. Raises FaultError; what was done by then is undone by `heal`."""

    async def took_effect(self) -> Effect:
        """Whether it is proved to have happened; asked once, soon after `inject`."""

    async def heal(self) -> Healed:
        """Put it back and look whether it is; doing so twice, or without a fault, is the same as once.

        Never raises for what the target does: what could not be put back is told in the answer.
        """
