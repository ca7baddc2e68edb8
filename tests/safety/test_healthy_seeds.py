"""A sound service is never accused: the healthy demo, under twenty seeds, has no failed finding."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEEDS = range(1, 21)


@pytest.mark.defects
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_healthy_demo_is_not_accused(seed, tmp_path):
    command = [sys.executable, "-m", "campaign", "run", "--demo", "--quick", "--only", "safety"]
    ended = subprocess.run(
        [*command, "--seed", str(seed)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    (report,) = tmp_path.glob("reports/*/report.json")
    results = json.loads(report.read_text())["test_results"]
    (safety,) = (each for each in results if each["kind"] == "safety")
    accused = [
        f"{each['check']}: {each['message']}" for each in safety["findings"] if each["outcome"] == "failed"
    ]
    assert accused == []
    assert ended.returncode == 0, ended.stdout
    assert sum(each["outcome"] == "passed" for each in safety["findings"]) >= 100
