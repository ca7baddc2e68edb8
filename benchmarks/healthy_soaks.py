"""How often a healthy target is accused of growing: soaks of the healthy demo, one after another.

    python benchmarks/healthy_soaks.py [30] [--hours 0.05] [--defect memory-leak] [--keep FOLDER]

Each takes `hours`, and half a minute; the reports go to FOLDER. With `--defect` the same soaks count how
often growth is found where there is some, so that a detector which never says anything does not look good.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from table import Row, print_table, show

ACCUSING = ("growth.", "drift.", "memory.", "restarts")
"""Checks that say that something grew, or began anew."""


Findings = list[dict[str, Any]]


def soak(seed: int, hours: float, *, defect: str | None, folder: Path) -> Findings:
    """The findings of one soak. Raises RuntimeError where there is no report."""
    into = folder / f"{seed:02}"
    command = [sys.executable, "-m", "campaign", "run", "--demo", "--only", "stability"]
    command += ["--stability-hours", str(hours), "--seed", str(seed), "--output", str(into)]
    command += ["--defect", defect] if defect else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = next(into.glob("*/report.json"), None)
    if report is None:
        raise RuntimeError(done.stderr or done.stdout)
    plain = json.loads(report.read_text(encoding="utf-8"))
    (result,) = (each for each in plain["test_results"] if each["phase"] == "stability")
    findings: Findings = result["findings"]
    return findings


def accused(found: Findings) -> list[str]:
    """What is said to have grown."""
    return [
        each["message"]
        for each in found
        if each["outcome"] == "failed" and each["check"].startswith(ACCUSING)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Soaks of the healthy demo.")
    parser.add_argument("count", type=int, nargs="?", default=30)
    parser.add_argument("--hours", type=float, default=0.05)
    parser.add_argument("--defect", help="a fault of the demo that lets something grow")
    parser.add_argument("--first", type=int, default=1, help="the seed of the first soak")
    parser.add_argument("--keep", type=Path, help="where the reports stay")
    chosen = parser.parse_args()
    outcomes: Counter[tuple[str, str]] = Counter()
    with_any = 0
    with tempfile.TemporaryDirectory() as passing:
        for number in range(chosen.count):
            seed = chosen.first + number
            folder = chosen.keep or Path(passing)
            found = soak(seed, chosen.hours, defect=chosen.defect, folder=folder)
            outcomes.update((each["check"], each["outcome"]) for each in found)
            with_any += bool(accused(found))
            said = "; ".join(accused(found)) or "nothing"
            print(f"{number + 1} of {chosen.count}: {said}", file=sys.stderr, flush=True)
    wanted = chosen.count if chosen.defect else 0
    what = f"{chosen.count} soaks of {chosen.hours * 3600:.0f} s, {chosen.defect or 'healthy'}"
    measured = f"{with_any} of {chosen.count}"
    show([Row(what, f"{wanted} accused", measured, "of growth or restarts", ok=with_any == wanted)])
    names = sorted({name for name, _ in outcomes})
    kinds = ("passed", "failed", "inconclusive")
    print_table(("check", *kinds), [(name, *(str(outcomes[name, kind]) for kind in kinds)) for name in names])


if __name__ == "__main__":
    main()
