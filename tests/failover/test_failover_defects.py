"""A whole campaign finds each failover defect of the demo by the check that names it, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCENARIOS = {
    "companion_down": {"as": "database_down", "on": "companion", "for": "3s", "during": "reads"},
    "companion_frozen": {"as": "dependency_frozen", "on": "companion", "for": "4s", "during": "reads"},
    "service_frozen": {"as": "dependency_frozen", "on": "service", "for": "3s", "during": "outage"},
    "service_restart": {},
    "service_killed": {"for": "2s"},
}
"""As in configs/demo.yaml."""

FINDS = {
    "no-reconnect": ("companion_down", {"recovered"}),
    "hang-on-outage": ("companion_frozen", {"fails_fast"}),
    "ack-before-commit": ("service_killed", {"lost"}),
    "drops-in-flight": ("service_restart", {"in_flight"}),
    "session-loss": ("service_killed", {"sessions"}),
    "retry-storm": ("companion_frozen", {"no_storm", "recovered"}),  # a storm this large never ends
    "slow-start": ("service_killed", {"recovered"}),
    "duplicate-on-retry": ("service_frozen", {"duplicates"}),
}
"""Defect -> the scenario that shows it, and all checks that fail in it."""


@pytest.fixture
def campaign(tmp_path):
    """Runs the failover phase of the demo's campaign with these scenarios: the exit code, and what each check
    came to.
    """

    def run(*options, scenarios):
        text = (ROOT / "configs/demo.yaml").read_text()
        before, _, rest = text.partition("    scenarios:\n      companion_down:")
        assert rest, "the failover section has other scenarios now"
        chosen = f"    scenarios: {json.dumps({name: SCENARIOS[name] for name in scenarios})}\n\n"
        file = tmp_path / "campaign.yaml"
        file.write_text(before + chosen + "scoring:\n  pass: 80\n")
        done = subprocess.run(
            [sys.executable, "-m", "campaign", "run", "--demo", str(file), "--only", "failover",
             "--output", str(tmp_path / "reports"), *options],
            env=os.environ | {"CAMPAIGN_STATE_HOME": str(tmp_path / "state")},
            capture_output=True, text=True, timeout=110, check=False,
        )  # fmt: skip
        (report,) = (tmp_path / "reports").glob("*/report.json")
        found = {
            each["check"]: each["outcome"]
            for result in json.loads(report.read_text())["test_results"]
            for each in result["findings"]
        }
        assert found, done.stdout + done.stderr
        return done.returncode, found

    return run


def failed(found):
    return {check for check, outcome in found.items() if outcome == "failed"}


def test_the_healthy_demo_passes_every_check_of_a_killed_service(campaign):
    code, found = campaign(scenarios=["service_killed"])
    assert (code, failed(found)) == (0, set())
    passed = {check for check, outcome in found.items() if outcome == "passed"}
    assert passed >= {f"service_killed.{each}" for each in ("effect", "recovered", "lost", "restored")}


@pytest.mark.defects
def test_the_healthy_demo_fails_no_check_of_any_scenario(campaign):
    code, found = campaign(scenarios=SCENARIOS)
    assert (code, failed(found)) == (0, set())
    judged = {check for check, outcome in found.items() if outcome in {"passed", "warned"}}
    assert judged >= {f"{scenario}.{check}" for scenario, checks in FINDS.values() for check in checks}


@pytest.mark.defects
@pytest.mark.parametrize("defect", FINDS)
def test_a_defect_fails_the_check_that_names_it(campaign, defect):
    scenario, checks = FINDS[defect]
    code, found = campaign("--defect", defect, scenarios=[scenario])
    assert failed(found) == {f"{scenario}.{check}" for check in checks}
    assert code == 1
    assert found[f"{scenario}.restored"] == "passed"


def test_every_failover_defect_is_looked_for():
    listed = subprocess.run(
        [sys.executable, "-m", "campaign", "demo", "--list-defects"],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    blocks = {block.partition("\n")[0]: block for block in listed.replace("\n  ", "\t").splitlines()}
    of_failover = {name.partition("\t")[0] for name, block in blocks.items() if "found by: failover" in block}
    assert of_failover == set(FINDS)
