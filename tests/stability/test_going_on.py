"""A soak that was broken off goes on: what was counted adds up, the gap is told, nothing is made up."""

import json
import os
import signal
import subprocess
import sys

import pytest
from family import running_demo
from pydantic import ValidationError
from servers import wait_until

from phases.stability.counts import found_together, together
from phases.stability.settings import StabilitySettings


def part(held, **more):
    plain = {
        "held": held, "asked": 100, "failed": 1, "longest_stall": 0.5, "load_reached": 1.0, "saturation": "",
        "errors": [{"operation": "x", "kind": "status", "count": 1}],
    }  # fmt: skip
    return {**plain, **more}


def test_two_parts_add_up():
    whole = together(
        part(30.0, load_reached=0.5, longest_stall=None, saturation="late"),
        part(10.0, failed=3, errors=[{"operation": "y", "kind": "timeout", "count": 3}]),
    )
    assert whole == part(
        40.0, asked=200, failed=4, load_reached=0.625, saturation="late",
        errors=[
            {"operation": "y", "kind": "timeout", "count": 3},
            {"operation": "x", "kind": "status", "count": 1},
        ],
    )  # fmt: skip


def test_a_part_that_did_not_measure_its_load_leaves_the_whole_unknown():
    assert together(part(30.0, load_reached=None), part(10.0))["load_reached"] is None
    assert together(part(0.0, load_reached=None), part(10.0))["load_reached"] == 1.0
    assert together({}, part(10.0)) == part(10.0)


def test_a_sighting_before_the_break_is_not_forgotten():
    before = {"answers": 10, "bytes": 5, "left": 0, "seen": 1, "sightings": []}
    after = {"answers": 20, "bytes": 5, "left": 0, "seen": 0, "sightings": []}
    assert found_together(before, after)["seen"] == 1
    assert found_together(before, {}) == before
    assert found_together({}, {}) == {}


@pytest.mark.parametrize(("given", "seconds"), [(0.05, 180), ("0.05", 180), ("30m", 1800), ("1h30m", 5400)])
def test_hours_are_a_number_or_a_duration(given, seconds):
    assert StabilitySettings(hours=given).hours * 3600 == pytest.approx(seconds)


@pytest.mark.parametrize("given", [0, -1, "0m", "30 parsecs", "", True, "367d", "3s"])
def test_hours_that_are_none_are_refused(given):
    with pytest.raises(ValidationError):
        StabilitySettings(hours=given)


def test_only_what_is_left_is_run():
    settings = StabilitySettings(hours=1.0, ramp="10s")
    assert settings.spec(held=3000.0).judged == (10.0, 610.0)
    assert settings.spec(held=9999.0).seconds > 10


def under_way(folder):
    """Whether the judged part is some seconds old."""
    found = list(folder.glob("*/evidence/stability.jsonl"))
    return bool(found) and found[0].read_text().count('"soak.requests"') >= 4


FEW = {"CAMPAIGN_PHASES__STABILITY__USERS": "5", "CAMPAIGN_PHASES__STABILITY__RAMP": "1s"}


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_soak_that_was_killed_is_gone_on_with(tmp_path):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    with running_demo() as (url, _):
        command = [sys.executable, "-m", "campaign", "run", "demo", "--target", url, "--only", "stability"]
        command += ["--stability-hours", "0.003"]
        environment = {**os.environ, **FEW, "COLUMNS": "200"}
        with subprocess.Popen(
            [*command, "--output", str(broken)], stdout=subprocess.DEVNULL, env=environment
        ) as run:
            try:
                wait_until(lambda: under_way(broken), seconds=60)
            finally:
                run.send_signal(signal.SIGKILL)
        (folder,) = broken.iterdir()
        assert not (folder / "report.json").exists()
        done = subprocess.run(
            [*command, "--output", str(whole), "--resume", str(folder)],
            capture_output=True, text=True, check=False, env=environment, timeout=100,
        )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    (report,) = whole.glob("*/report.json")
    (result,) = (
        each for each in json.loads(report.read_text())["test_results"] if each["phase"] == "stability"
    )
    assert result["status"] == "completed"
    facts = result["evidence"]["facts"]
    ((began, ended),) = facts["soak"]["gaps"]
    assert 0 < began < ended
    assert facts["soak"]["held"] == pytest.approx(10.0, abs=2.0)
    (p50,) = (each for each in result["evidence"]["series"] if each["name"] == "soak.p50")
    assert None in p50["values"], "the gap is a gap"
    assert [at for at, _ in zip(p50["times"], p50["values"], strict=True)] == sorted(p50["times"])
    assert p50["times"][0] < ended, "what was recorded before is there"
    assert "in which nobody looked" in next(
        f["message"] for f in result["findings"] if f["check"] == "uptime"
    )
    assert "Broken off and gone on with" in report.with_name("report.html").read_text()
