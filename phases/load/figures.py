"""From a scenario's outcome to measurements for the judge."""

from __future__ import annotations

from collections.abc import Iterator

from campaign.load.outcome import LoadOutcome
from campaign.records import Measurement
from phases.load.metrics import METRICS, RESPONSE, SHOWN, TALLIED, TIMES_SHOWN, measure
from phases.load.samples import EVENTS, GROUP, Seen, judged
from phases.load.settings import LoadSettings
from phases.load.subjects import ALL, Subjects

Asked = set[tuple[str, str]]
"""Subjects and metrics."""


def measurements(
    outcome: LoadOutcome, settings: LoadSettings, *, subjects: Subjects
) -> Iterator[Measurement]:
    """Everything that a limit of this scenario asks for over its judged part, and the usual figures of
    whatever was seen.
    """
    name = outcome.scenario.name
    seen = judged(outcome, subjects)
    planned = settings.planned_for(name)
    wanted = {(each.subject, each.metric.name) for each in planned} | _usual(seen)
    for subject, metric in sorted(wanted):
        figure = f"{name}.{subject}.{metric}"
        if metric in TALLIED:
            yield measure(seen.of(subject, subjects), METRICS[metric], name=figure)
        elif metric in WHOLE:
            yield Measurement.exact(figure, WHOLE[metric](outcome), unit=METRICS[metric].unit)


WHOLE = {
    "longest_stall": lambda outcome: outcome.longest_stall,
    "load_reached": lambda outcome: outcome.load_reached,
}
"""What the outcome itself knows of the whole scenario."""


def _usual(seen: Seen) -> Asked:
    requests = [ALL, *seen.operations, *(label.replace(" ", ":", 1) for label in seen.views)]
    usual = {(subject, metric) for subject in requests for metric in SHOWN}
    for subject, name in seen.times:
        if name == GROUP:
            usual |= {(subject, metric) for metric in SHOWN if METRICS[metric].times == RESPONSE}
        else:
            shown = ["event_rate"] if name == EVENTS else [f"{name}_{each}" for each in TIMES_SHOWN]
            usual |= {(who, each) for who in (subject, ALL) for each in shown}
    return {(subject, metric) for subject, metric in usual if metric in METRICS}
