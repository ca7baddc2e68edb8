"""How long the report of a day takes and how large it is: 12 series of 86,400 points each.

Run: python benchmarks/report_render.py
"""

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from campaign.gate import improvements, judge_gate
from campaign.records import (
    SCHEMA_VERSION,
    CampaignResult,
    Evidence,
    Finding,
    Limit,
    Measurement,
    Outcome,
    PhaseResult,
    Run,
    Series,
    Severity,
    Status,
    StopReason,
)
from campaign.report.html import render
from campaign.report.read import read_report
from campaign.report.write import write_all
from campaign.scoring import Policy, score_campaign

DAY = 86_400
LOADED = (("p95", "s"), ("p50", "s"), ("rate", "1/s"), ("error_rate", "share"), ("users", "users"))
WATCHED = (
    ("host.cpu", "share"),
    ("host.memory", "B"),
    ("target.cpu", "share"),
    ("target.memory", "B"),
    ("campaign.cpu", "share"),
    ("campaign.memory", "B"),
    ("target.threads", "threads"),
)


def a_day() -> CampaignResult:
    """A soak of 24 hours as it is handed to the reporters."""
    times = tuple(float(second) for second in range(DAY))
    values = tuple((second * 7919 % 1000) / 997 for second in range(DAY))
    load = Evidence(
        measurements=tuple(
            Measurement(f"soak.p{n}", n / 100, "s", 10**6, n / 101, n / 99) for n in range(100)
        ),
        series=tuple(Series(f"soak.{name}", unit, times, values) for name, unit in LOADED),
    )
    findings = tuple(_passed(n) for n in range(100))
    watched = Evidence(series=tuple(Series(name, unit, times, values) for name, unit in WATCHED))
    phase = PhaseResult(
        "stability", "stability", "Stability", Status.COMPLETED, load, findings, 0.0, float(DAY)
    )
    return judged(phase, watched)


def _passed(number: int) -> Finding:
    value = number / 1e3
    return Finding(
        f"stability.check{number}",
        Outcome.PASSED,
        f"check {number} was {number} ms",
        Measurement("m", value, "s", 9, value, value),
        Limit(0.2, 0.5, "s"),
        Severity.MINOR,
        1.0,
        "",
    )


def judged(phase: PhaseResult, watched: Evidence) -> CampaignResult:
    policy = Policy()
    score = score_campaign([phase], policy)
    gate = judge_gate([phase], score, policy=policy, stop=StopReason.FINISHED)
    run = Run("a day", "http://127.0.0.1:8000", 0.0, float(DAY), 7, StopReason.FINISHED, {}, {})
    return CampaignResult(
        SCHEMA_VERSION, run, (phase,), watched, score, gate, improvements([phase], score, policy=policy)
    )


def timed(what: str, work: Callable[[], object]) -> object:
    began = time.perf_counter()
    result = work()
    print(f"{what:<32}{time.perf_counter() - began:8.2f} s")
    return result


def main() -> None:
    result = a_day()
    page = str(timed("page", lambda: render(result)))
    print(f"{'page size':<32}{len(page.encode()) / 1e6:8.2f} MB")
    with tempfile.TemporaryDirectory() as folder:
        timed("all forms, on disk", lambda: write_all(result, Path(folder)))
        for file in sorted(Path(folder).iterdir()):
            print(f"  {file.name:<30}{file.stat().st_size / 1e6:8.2f} MB")
        timed("report.json read back", lambda: read_report(Path(folder) / "report.json"))
    print(f"{'most memory':<32}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB")


if __name__ == "__main__":
    main()
