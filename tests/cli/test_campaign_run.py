"""The command as a user types it: what it prints and writes, how it exits, that nothing is left."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
SHORT = """
name: Short
target: {url: "http://127.0.0.1:1", health: GET /health}
operations:
  login:
    request: POST /api/auth/login/json
    json: {email: "parent{{ user.number:04d }}@example.com", password: demo-password}
    save: {token: $.access_token}
  stats: {request: GET /api/stats, auth: "{{ token }}"}
users:
  parent: {wait: 20ms..60ms, start: [login], tasks: [stats]}
phases:
  load:
    scenarios:
      short: {users: 5, ramp: 10/s, hold: 30s}
"""


def campaign(*arguments, cwd, **environ):
    return subprocess.Popen(
        [sys.executable, "-m", "campaign", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process, within=100):
    output, errors = process.communicate(timeout=within)
    return process.returncode, output, errors


def report_in(folder):
    (run,) = (folder / "reports").iterdir()
    return json.loads((run / "report.json").read_text()), run


def until(condition, within=30.0):
    """The condition's first truth; fails when it never becomes true."""
    give_up = time.monotonic() + within
    while time.monotonic() < give_up:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it never became true")


def descendants(process):
    return psutil.Process(process.pid).children(recursive=True)


def in_full_swing(process, folder):
    """All processes of a run that has recorded some seconds of load."""

    def recorded():
        files = list(folder.glob("reports/*/evidence/load.jsonl"))
        return files and len(files[0].read_text().splitlines()) >= 2

    until(recorded)
    return descendants(process)


QUICK_LOAD = ("run", "--demo", "--quick", "--only", "load")


def test_a_quick_load_on_the_healthy_demo_is_ready_in_scope(tmp_path):
    is_ready_in_scope(campaign(*QUICK_LOAD, cwd=tmp_path), tmp_path)


@pytest.mark.defects
@pytest.mark.timeout(500)
def test_a_quick_run_of_all_phases_on_the_healthy_demo_is_ready_in_scope(tmp_path):
    is_ready_in_scope(campaign("run", "--demo", "--quick", cwd=tmp_path), tmp_path)


def is_ready_in_scope(process, tmp_path):
    code, output, errors = ended(process, within=450)
    assert (code, errors) == (0, "")
    report, run = report_in(tmp_path)
    assert report["production_readiness"]["score"] >= 90
    assert report["production_readiness"]["exit_code"] == 0
    assert report["test_suite_summary"]["requests"] > 300
    assert "READY IN SCOPE" in output
    assert str(run.relative_to(tmp_path)) in output.replace("\n", "")
    assert not list(run.glob("**/*.tmp*"))


DEFECTS = {
    "slow-history": ("p95", "history"),
    "errors-under-load": ("error_rate", "error rate"),
    "stall": ("longest_stall", "longest stall"),
}


@pytest.mark.parametrize(
    "defect", ["slow-history", *(pytest.param(each, marks=pytest.mark.slow) for each in [*DEFECTS][1:])]
)
def test_each_defect_fails_the_load_phase_for_the_right_reason_by_name(tmp_path, defect):
    code, output, _ = ended(campaign(*QUICK_LOAD, "--defect", defect, cwd=tmp_path))
    report, _ = report_in(tmp_path)
    failed = [each for each in report["test_results"][0]["findings"] if each["outcome"] == "failed"]
    metric, words = DEFECTS[defect]
    assert code == 1, output
    assert any(each["check"].endswith(metric) and words in each["message"] for each in failed), failed


def test_a_target_that_is_down_exits_3_with_one_sentence(tmp_path):
    (tmp_path / "campaign.yaml").write_text(SHORT)
    code, output, errors = ended(campaign("run", cwd=tmp_path))
    assert code == 3
    assert "NOT MEASURED" in output
    assert "http://127.0.0.1:1 cannot be judged" in output.replace("\n", "")
    assert "Traceback" not in output + errors
    assert report_in(tmp_path)[0]["production_readiness"]["score"] is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_the_phase_and_still_writes_the_report(tmp_path, number):
    (tmp_path / "campaign.yaml").write_text(SHORT)
    process = campaign("run", "--demo", "campaign.yaml", cwd=tmp_path)
    children = in_full_swing(process, tmp_path)
    process.send_signal(number)
    code, _, errors = ended(process, within=30)
    report, run = report_in(tmp_path)
    assert code == 130
    assert "Traceback" not in errors
    assert report["test_suite_summary"]["requests"] > 0
    assert report["production_readiness"]["exit_code"] == 130
    assert (run / "report.html").stat().st_size > 10_000
    assert [child.pid for child in children if child.is_running()] == []


def test_ctrl_c_again_and_again_still_ends_with_a_report_and_no_process(tmp_path):
    (tmp_path / "campaign.yaml").write_text(SHORT)
    process = campaign("run", "--demo", "campaign.yaml", cwd=tmp_path)
    children = in_full_swing(process, tmp_path)
    for _ in range(5):
        process.send_signal(signal.SIGINT)
    code, _, errors = ended(process, within=30)
    assert code == 130
    assert "Traceback" not in errors
    assert report_in(tmp_path)[0]["production_readiness"]["exit_code"] == 130
    assert [child.pid for child in children if child.is_running()] == []


def test_a_killed_run_leaves_its_evidence_and_no_process(tmp_path):
    (tmp_path / "campaign.yaml").write_text(SHORT)
    process = campaign("run", "--demo", "campaign.yaml", cwd=tmp_path)
    children = in_full_swing(process, tmp_path)
    assert len(children) >= 2  # the demo target and a load worker
    process.kill()
    process.communicate()
    until(lambda: not [child for child in children if child.is_running()])
    (run,) = (tmp_path / "reports").iterdir()
    lines = (run / "evidence" / "load.jsonl").read_text().splitlines()
    assert all(json.loads(line) for line in lines[:-1])


def test_the_verdict_can_be_computed_again_from_report_json_alone(tmp_path):
    (tmp_path / "short.yaml").write_text(SHORT.replace("30s", "5s"))
    first, _, _ = ended(campaign("run", "short.yaml", "--demo", cwd=tmp_path))
    before, run = report_in(tmp_path)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "report.json").write_bytes((run / "report.json").read_bytes())
    again, _, _ = ended(campaign("report", "alone", "--rejudge", cwd=tmp_path))
    after = json.loads((alone / "report.json").read_text())
    assert again == first
    assert after["production_readiness"] == before["production_readiness"]
    assert after["test_results"] == before["test_results"]


def test_two_runs_at_once_do_not_meet(tmp_path):
    (tmp_path / "short.yaml").write_text(SHORT.replace("30s", "3s"))
    both = [campaign("run", "short.yaml", "--demo", cwd=tmp_path) for _ in range(2)]
    codes = [ended(process)[0] for process in both]
    runs = list((tmp_path / "reports").iterdir())
    assert len(runs) == 2
    assert all((run / "report.html").is_file() for run in runs)
    assert set(codes) <= {0, 3}


@pytest.mark.slow
def test_a_baseline_is_compared_with(tmp_path):
    (tmp_path / "short.yaml").write_text(SHORT.replace("30s", "3s"))
    ended(campaign("run", "short.yaml", "--demo", cwd=tmp_path))
    _, run = report_in(tmp_path)
    run.rename(tmp_path / "earlier")
    ended(campaign("run", "short.yaml", "--demo", "--baseline", "earlier", cwd=tmp_path))
    report, _ = report_in(tmp_path)
    checks = [each["check"] for each in report["test_results"][0]["findings"]]
    assert "short.stats.p95.regression" in checks
