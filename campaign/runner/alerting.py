"""Alerts while a campaign runs: told as they begin and end, and the end of the campaign where they say so."""

from __future__ import annotations

from campaign.config.plan import Campaign
from campaign.events import Alerted, Events, Notice
from campaign.evidence import EvidenceLog
from campaign.monitor.alerts import Alerts, Change
from campaign.monitor.source import Reading
from campaign.records import StopReason
from campaign.runner.halt import Halt

ALERT = "alert"
"""What alerts are called in `notify.on` and `stop_on`."""

FACT = "alerts"
"""The fact of the monitoring that holds them."""

LABEL = "monitor"


class Alerting:
    """Hears every reading and tells `events` and `halt` what the rules of the campaign make of it."""

    def __init__(self, campaign: Campaign, log: EvidenceLog, *, events: Events, halt: Halt) -> None:
        self._alerts = Alerts(campaign.monitor.alerts)
        self._stops = ALERT in campaign.stop_on
        self._log, self._events, self._halt = log, events, halt

    def hear(self, at: float, reading: Reading) -> None:
        """Tell what changed."""
        for change in self._alerts.hear(at, reading):
            self._tell(change)
            self._log.fact(FACT, self._alerts.plain())

    def _tell(self, change: Change) -> None:
        if change.over:
            self._events.emit(Notice(f"alert {change.text}"))
            return
        self._events.emit(Alerted(LABEL, ALERT, f"{change.rule.urgency}: {change.text}"))
        if self._stops or change.rule.abort:
            self._halt.ask(f"stopped at the alert {change.text}", StopReason.STOPPED_AT_ALERT)

    def end(self) -> None:
        """Keep what came of every rule, and say which were never judged."""
        if rules := self._alerts.plain():
            self._log.fact(FACT, rules)
        for sentence in self._alerts.unjudged():
            self._log.note(sentence)
