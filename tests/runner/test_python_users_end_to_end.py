"""A whole campaign with users in Python is judged, limited and reported like any other."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from campaign.records import Outcome
from campaign.runner.api import run_to_end
from campaign.runner.campaign import Options

FILE = """\
name: Trip
target: {url: "URL"}
operations:
  home: {request: GET /home}
users:
  traveler: {python: travelers.Traveler}
phases:
  load:
    scenarios: {short: {users: 4, ramp: 100/s, hold: 3s}}
    limits: {all: {p50: 10s}, piece: {p50: 5s}, "GET /index.html": {p50: 5s}}
"""

CLASS = """\
from campaign import User, constant, task

class Traveler(User):
    wait = constant(0.02)
    measures = ("piece", "GET /index.html")

    @task
    async def visit(self) -> None:
        await self.send("home")
        await self.request("GET", "/index.html?page=2")
        async with self.measure("piece"):
            pass
"""


@pytest.fixture
def campaign_file(tmp_path, plain_target):
    def write(module=CLASS):
        (tmp_path / "travelers.py").write_text(module)
        (tmp_path / "campaign.yaml").write_text(FILE.replace("URL", plain_target.url))
        return tmp_path / "campaign.yaml"

    return write


def findings_of(finished):
    return {each.check: each for result in finished.result.results for each in result.findings}


def test_what_a_class_does_is_judged_and_reported(campaign_file, tmp_path):
    finished = run_to_end(campaign_file(), options=Options(output=tmp_path / "reports"))
    findings = findings_of(finished)
    for subject in ("all", "piece", "GET /index.html"):
        assert findings[f"short.{subject}.p50"].outcome is Outcome.PASSED
    report = json.loads((finished.folder / "report.json").read_text())
    assert "GET /index.html" in json.dumps(report)
    assert "piece" in (finished.folder / "report.html").read_text()


def test_a_mistake_in_a_task_stops_the_gate_and_blames_nobody_else(campaign_file, tmp_path):
    module = CLASS.replace('await self.send("home")', 'await self.send("home")\n        self.nothing')
    finished = run_to_end(campaign_file(module), options=Options(output=tmp_path / "reports"))
    assert finished.result.exit_code == 3
    findings = findings_of(finished)
    assert findings["short.all.requests_sent"].outcome is Outcome.INCONCLUSIVE
    assert "Traveler.visit: AttributeError" in findings["short.all.requests_sent"].message
    assert "(travelers.py:10)" in findings["short.all.requests_sent"].message
    assert findings["short.all.error_rate"].outcome is not Outcome.FAILED


def test_a_class_that_cannot_be_imported_is_told_with_its_line_and_nothing_is_run(
    campaign_file, plain_target
):
    file = campaign_file("import campaign\n\n1 / 0\n")
    command = [sys.executable, "-m", "campaign", "run", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
    assert done.returncode == 2
    told = done.stdout + done.stderr
    assert "campaign.yaml:6:22  users.traveler.python" in told
    assert "ZeroDivisionError: division by zero (travelers.py:3)" in told
    assert "Traceback" not in told
    assert plain_target.requests == []
