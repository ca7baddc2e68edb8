"""What is known of a running campaign, as metrics: the listener that hears its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from campaign.events import (
    Alerted,
    CampaignBegan,
    CampaignEnded,
    Event,
    PhaseBegan,
    PhaseEnded,
    PhaseProgressed,
)
from campaign.monitor.feed import Feed
from campaign.records import Outcome, PhaseResult

LIVE = {
    "rate": ("campaign_load_requests_per_second", "Answers a second, in the last second."),
    "p95": ("campaign_load_p95_seconds", "95th percentile of the response times of the last second."),
    "error_rate": ("campaign_load_error_ratio", "Share of failed requests in the last second."),
    "users": ("campaign_load_users", "Users at work."),
}
"""Live figures of a phase, by their name in its progress: the metric and its help."""

PROGRESS, SCORE = "campaign_phase_progress_ratio", "campaign_phase_score"
RUNNING, FINDINGS = "campaign_phase_running", "campaign_phase_findings"
ALERTS, MONITORED = "campaign_alerts_total", "campaign_monitored"
OVERALL, LOWER, EXIT = "campaign_score", "campaign_score_lower_bound", "campaign_exit_code"
INFO = "campaign_info"

NAMES = (
    INFO, RUNNING, PROGRESS, SCORE, FINDINGS, ALERTS, MONITORED, OVERALL, LOWER, EXIT,
    *(name for name, _ in LIVE.values()),
)  # fmt: skip
"""Every metric there is, for dashboards and alert rules."""


@dataclass(slots=True)
class _Phase:
    """A phase that began."""

    running: bool = True
    progress: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)
    result: PhaseResult | None = None
    score: float | None = None


class CampaignMetrics(Collector):
    """Hears events and is asked by the endpoint's thread; `feed` is what is monitored."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._lock = Lock()
        self._about: CampaignBegan | None = None
        self._phases: dict[str, _Phase] = {}
        self._alerts: Counter[str] = Counter()
        self._ended: CampaignEnded | None = None

    def __call__(self, event: Event) -> None:
        """Take in what happened."""
        with self._lock:
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, CampaignBegan):
            self._about = event
        elif isinstance(event, PhaseBegan):
            self._phases[event.label] = _Phase()
        elif isinstance(event, PhaseProgressed) and event.label in self._phases:
            phase = self._phases[event.label]
            phase.progress = phase.progress if event.progress.share is None else event.progress.share
            phase.figures |= event.progress.figures
        elif isinstance(event, PhaseEnded):
            phase = self._phases.setdefault(event.result.phase, _Phase())
            phase.running, phase.result, phase.score = False, event.result, event.score
        elif isinstance(event, Alerted):
            self._alerts[event.kind] += 1
        elif isinstance(event, CampaignEnded):
            self._ended = event

    def collect(self) -> Iterator[Metric]:
        """All metrics now."""
        with self._lock:
            metrics = [*self._campaign(), *self._of_phases()]
        yield from metrics
        yield self._monitored()

    def _campaign(self) -> Iterator[Metric]:
        if self._about is not None:
            about = InfoMetricFamily(INFO.removesuffix("_info"), "The campaign that runs.")
            told = {"name": self._about.name, "target": self._about.target, "seed": str(self._about.seed)}
            about.add_metric((), told)
            yield about
        alerts = CounterMetricFamily(ALERTS, "Alerts so far, by kind.", labels=("kind",))
        for kind, count in self._alerts.items():
            alerts.add_metric((kind,), count)
        yield alerts
        if self._ended is not None:
            result = self._ended.result
            if result.score.bounds.score is not None:
                yield GaugeMetricFamily(OVERALL, "The score, 0 to 100.", value=result.score.bounds.score)
            yield GaugeMetricFamily(LOWER, "Its lower bound.", value=result.score.bounds.lower_bound)
            yield GaugeMetricFamily(EXIT, "The exit code: 0 the gate passed.", value=result.gate.exit_code)

    def _of_phases(self) -> Iterator[Metric]:
        running = GaugeMetricFamily(RUNNING, "1 while the phase runs.", labels=("phase",))
        progress = GaugeMetricFamily(PROGRESS, "How far the phase is, 0 to 1.", labels=("phase",))
        score = GaugeMetricFamily(SCORE, "The score of a phase that ended.", labels=("phase",))
        findings = GaugeMetricFamily(FINDINGS, "Findings of a phase that ended.", labels=("phase", "outcome"))
        for label, phase in self._phases.items():
            running.add_metric((label,), float(phase.running))
            progress.add_metric((label,), 1.0 if phase.result else phase.progress)
            if phase.score is not None:
                score.add_metric((label,), phase.score)
            if phase.result is not None:
                for outcome in Outcome:
                    count = sum(each.outcome is outcome for each in phase.result.findings)
                    findings.add_metric((label, outcome.value), count)
        yield from (running, progress, score, findings, *self._live())

    def _live(self) -> Iterator[Metric]:
        """Only of phases that run: an old figure is none of now."""
        for figure, (name, told) in LIVE.items():
            family = GaugeMetricFamily(name, told, labels=("phase",))
            for label, phase in self._phases.items():
                if phase.running and figure in phase.figures:
                    family.add_metric((label,), phase.figures[figure])
            yield family

    def _monitored(self) -> Metric:
        family = GaugeMetricFamily(
            MONITORED, "The last value of what is monitored.", labels=("series", "unit")
        )
        for name, (value, unit) in dict(self._feed.latest()).items():
            if value is not None:
                family.add_metric((name, unit), value)
        return family
