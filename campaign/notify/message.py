"""What is said outside of an event: one short text, which names no child and gives no secret away."""

from __future__ import annotations

from collections.abc import Callable, Collection

from campaign.events import Alerted, CampaignBegan, CampaignEnded, Event
from campaign.records import CampaignResult
from campaign.redact import mask_personal

ENDED = "ended"
"""What the end of a campaign is called in `notify.on`; an alert is called by its kind."""

LONGEST = 600
"""Characters of one message."""

MOST_REASONS = 3

_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""What Slack takes for marks: a target that answers `<!channel>` would call everybody."""


class Wording:
    """Turns events into texts, those of the kinds `on`; it remembers which campaign they are of.

    `redact` masks secrets. Mail addresses and numbers of telephones in what was seen are masked as well.
    """

    def __init__(self, on: Collection[str], *, redact: Callable[[str], str]) -> None:
        self._on = frozenset(on)
        self._redact = redact
        self._name = ""

    def __call__(self, event: Event) -> str | None:
        """The text of an event that somebody wants to hear of; None for all others."""
        if isinstance(event, CampaignBegan):
            self._name = f"{event.name} -> {event.target} ({event.environment})"
        elif isinstance(event, Alerted) and event.kind in self._on:
            seen = mask_personal(event.text)
            return self._one_line(f"{event.kind.upper()} in {self._name}, phase {event.label}: {seen}")
        elif isinstance(event, CampaignEnded) and ENDED in self._on:
            return self._one_line(f"{self._name}: {verdict(event.result)}")
        return None

    def _one_line(self, text: str) -> str:
        shown = "".join(each if each.isprintable() else " " for each in self._redact(text))
        return (shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…").translate(_SLACK)


def verdict(result: CampaignResult) -> str:
    """The answer in a sentence: the headline, the score, why."""
    score = result.score.bounds.score
    points = "not measured" if score is None else f"{score:.0f} of 100"
    gate = result.gate
    told = dict.fromkeys((gate.headline, points))  # a headline may say "not measured" itself
    reasons = mask_personal("; ".join(gate.reasons[:MOST_REASONS]))
    return f"{', '.join(told)}, exit code {gate.exit_code}. {reasons}"
