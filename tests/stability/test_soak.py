"""A soak of a real demo: what leaks is found by name, and a short one passes nothing that it did not see."""

import json
import os
import subprocess
import sys

import pytest


def soak(folder, *options, hours, within):
    command = [sys.executable, "-m", "campaign", "run", "--demo", "--only", "stability"]
    done = subprocess.run(
        [*command, "--stability-hours", str(hours), "--output", str(folder), *options],
        capture_output=True, text=True, timeout=within, check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    (report,) = folder.glob("*/report.json")
    plain = json.loads(report.read_text())
    (result,) = (each for each in plain["test_results"] if each["phase"] == "stability")
    return done, {each["check"]: each for each in result["findings"]}, result


def test_a_quick_soak_is_whole_and_undecided_where_it_is_too_short(tmp_path):
    done, found, result = soak(tmp_path, "--quick", hours=24, within=100)
    assert result["status"] == "completed"
    outcomes = {name: each["outcome"] for name, each in found.items()}
    assert [name for name, outcome in outcomes.items() if outcome == "failed"] == []
    assert outcomes["growth.target.memory"] == "inconclusive"
    assert outcomes["restarts"] == "passed"
    assert outcomes["memory.growth"] == "passed"
    assert outcomes["target_afterwards"] == "passed"
    assert done.returncode == 3
    names = {each["name"] for each in result["evidence"]["series"]}
    assert {"low.target.memory", "low.target.files", "low.target.threads", "soak.p50"} <= names


@pytest.mark.defects
@pytest.mark.timeout(400)
def test_a_leak_is_found_by_name(tmp_path):
    done, found, _ = soak(tmp_path, "--defect", "memory-leak", hours=0.05, within=380)
    assert found["growth.target.memory"]["outcome"] == "failed"
    assert "for each request" in found["growth.target.memory"]["message"]
    assert done.returncode == 1
    others = [name for name, each in found.items() if each["outcome"] == "failed"]
    assert {*others} <= {"growth.target.memory", "memory.growth"}


@pytest.mark.defects
@pytest.mark.timeout(400)
def test_the_healthy_demo_is_not_accused_of_growth(tmp_path):
    _, found, _ = soak(tmp_path, hours=0.05, within=380)
    accused = [name for name, each in found.items() if each["outcome"] == "failed"]
    assert [name for name in accused if name.startswith(("growth", "memory", "restarts"))] == []
