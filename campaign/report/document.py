"""The result as plain JSON data, and back: what report.json holds and what a verdict can be made from again.

`test_suite_summary` says what ran and how many; `test_results` has one entry per phase, with all its evidence
and findings; `performance_monitoring` what the monitor saw; `production_readiness` the answer;
`detailed_analysis` the score's parts; `recommendations` what to mend first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from campaign.errors import ReportError
from campaign.records import SCHEMA_VERSION, CampaignResult, Gate, PhaseResult, Score

REQUESTS = "requests"
"""The name under which phases record how many requests they sent."""


def document(result: CampaignResult) -> dict[str, Any]:
    """The result as plain JSON data; what is infinite or not a number becomes null."""
    return {
        "schema_version": result.schema,
        "test_suite_summary": _summary(result),
        "test_results": plain(result.results),
        "performance_monitoring": plain(result.monitoring),
        "production_readiness": _readiness(result.score, result.gate),
        "detailed_analysis": {"phases": plain(result.score.phases)},
        "recommendations": plain(result.improvements),
        "environment": plain(result.run.environment),
        "configuration": plain(result.run.configuration),
    }


def _summary(result: CampaignResult) -> dict[str, Any]:
    run: dict[str, Any] = plain(result.run)
    del run["environment"], run["configuration"]
    return run | {
        "started": iso(result.run.started_at),
        "ended": iso(result.run.ended_at),
        "requests": requests(result.results),
        "phases": dict(Counter(each.status.value for each in result.results)),
        "findings": dict(Counter(each.outcome.value for phase in result.results for each in phase.findings)),
    }


def requests(results: tuple[PhaseResult, ...]) -> int:
    """How many requests the phases sent, as they recorded it."""
    return sum(
        each.count for phase in results for each in phase.evidence.measurements if each.name == REQUESTS
    )


def _readiness(score: Score, gate: Gate) -> dict[str, Any]:
    return {
        **plain(score.bounds),
        "coverage": plain(score.coverage),
        "band": score.band.value,
        **plain(gate),
        "uncapped": plain(score.uncapped),
        "caps": plain(score.caps),
        "scope": plain(score.scope),
    }


def iso(seconds: float) -> str:
    """A moment (seconds since 1970) as 2026-11-20T15:02:00Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(value: Any) -> Any:  # noqa: PLR0911 - one kind of value a line
    """The same as JSON data: records as objects, tuples as lists, and text that UTF-8 can carry."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return str(value).encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {plain(str(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    return plain(str(value))


def read_document(data: object) -> CampaignResult:
    """The result that `document` made this of. Raises ReportError for anything else."""
    if not isinstance(data, dict) or "schema_version" not in data:
        raise ReportError("this is not a report of a campaign: it has no schema_version")
    _check_version(data["schema_version"])
    try:
        return _adapter().validate_python(_assemble(data))
    except ValidationError as error:
        raise ReportError(f"this report is damaged: {_first(error)}") from error
    except (KeyError, TypeError) as error:
        raise ReportError(f"this report is damaged: {error} is missing or of the wrong kind") from error


def _check_version(found: object) -> None:
    wanted = SCHEMA_VERSION.partition(".")[0]
    if str(found).partition(".")[0] != wanted:
        raise ReportError(f"this report has schema version {found!r}; this program reads {wanted}.x")


def _assemble(data: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of the document where the records have them."""
    run = {**data["test_suite_summary"], **{key: data[key] for key in ("environment", "configuration")}}
    ready = data["production_readiness"]
    return {
        "schema": data["schema_version"],
        "run": run,
        "results": data["test_results"],
        "monitoring": data["performance_monitoring"],
        "score": {**ready, "bounds": ready, "phases": data["detailed_analysis"]["phases"]},
        "gate": ready,
        "improvements": data["recommendations"],
    }


@cache
def _adapter() -> TypeAdapter[CampaignResult]:
    return TypeAdapter(CampaignResult)


def _first(error: ValidationError) -> str:
    """Where the first mistake is and what it is."""
    mistake = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in mistake["loc"])
    return f"{where}: {mistake['msg']}"
