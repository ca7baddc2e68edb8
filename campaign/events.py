"""What happens in a campaign, as it happens: frozen events and the listeners that hear them.

The runner emits and knows no listener; a listener that fails is dropped and named, and ends nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from campaign.phase import Progress
from campaign.records import CampaignResult, PhaseResult, Reason


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """One row of the plan: about how many seconds it takes, or the reason why it is left out."""

    label: str
    title: str
    seconds: float
    left_out: Reason | None


@dataclass(frozen=True, slots=True)
class CampaignBegan:
    """The plan is made and nothing was sent yet; `folder` is where the output goes."""

    name: str
    target: str
    environment: str
    seed: int
    folder: str
    plan: tuple[PlannedPhase, ...]


@dataclass(frozen=True, slots=True)
class PhaseBegan:
    """A phase starts; it takes about `seconds`."""

    label: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PhaseProgressed:
    """A phase says how far it is."""

    label: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class Alerted:
    """Something that people must hear at once; `kind` is "violation", say, `label` the phase that saw it."""

    label: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class PhaseEnded:
    """A phase ended, or was left out; `score` 0..100 of what was judged, None where nothing was."""

    result: PhaseResult
    score: float | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that the user should see now."""

    text: str


@dataclass(frozen=True, slots=True)
class CampaignEnded:
    """The verdict is there; the reports are written after it."""

    result: CampaignResult


Event = CampaignBegan | PhaseBegan | PhaseProgressed | Alerted | PhaseEnded | Notice | CampaignEnded
Listener = Callable[[Event], None]


class Events:
    """Passes each event to every listener, in the order in which they were given."""

    def __init__(self, listeners: tuple[Listener, ...]) -> None:
        self._listeners = list(listeners)

    def emit(self, event: Event) -> None:
        """Tell all listeners; one that raises is dropped, and the others are told so."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - a listener is foreign code
                self._listeners.remove(listener)
                self.emit(Notice(f"a listener failed and was dropped: {type(error).__name__}: {error}"))
