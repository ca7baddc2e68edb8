"""The benchmarks still run, with tiny durations; what they measure is no test's business."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def rows(script: str, *options: str) -> list[list[str]]:
    """The cells of the table that a benchmark prints, without its head."""
    command = [sys.executable, str(ROOT / "benchmarks" / script), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_a_simulated_day_goes_through_the_phase_and_the_report():
    memory, report = rows("day.py", "--hours", "0.02")
    assert memory[-1] == "not measured", "a minute says nothing of a day's memory"
    assert report[0].endswith("report")
    assert report[-1] == "reached"


def test_a_simulated_day_of_stability_goes_through_the_phase_and_the_report():
    memory, report, page = rows("day_of_stability.py", "--hours", "0.05")
    assert memory[-1] == "not measured", "three minutes say nothing of a day's memory"
    assert (report[-1], page[-1]) == ("reached", "reached")
    assert page[-2].endswith("failed: none")


@pytest.mark.skipif(NGINX is None, reason="needs nginx: scripts/services bench")
def test_arrivals_are_measured_against_nginx():
    (row,) = rows("arrivals.py", "--seconds", "1")
    assert row[2].endswith(" ms"), row
