"""Which metrics are known of what: a group has only times, and a freeze belongs to the whole scenario."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from phases.load.metrics import FURTHER_TIMES, METRICS, RESPONSE, WHOLE_SCENARIO
from phases.load.subjects import ALL, KIND, REGION


def misplaced(subject: str, metrics: Collection[str], names: Mapping[str, Any]) -> str:
    """What is allowed instead where one of the metrics is not known of this subject; else ""."""
    for name in metrics:
        if subject != ALL and name in WHOLE_SCENARIO:
            return f"{name} under 'all' only, not under '{subject}': it belongs to the whole scenario"
        by_operation = METRICS[name].times in FURTHER_TIMES or name == "event_rate"
        if subject.startswith((KIND, REGION)) and by_operation:
            return f"a metric of requests under '{subject}', not {name}: it is kept by operation"
        if _is_group(subject, names) and METRICS[name].times != RESPONSE:
            return f"p50 to p999, mean or max under '{subject}', not {name}: a group has one time as a whole"
    return ""


def _is_group(subject: str, names: Mapping[str, Any]) -> bool:
    return subject in names.get("groups", ()) and subject not in names.get("operations", ())
