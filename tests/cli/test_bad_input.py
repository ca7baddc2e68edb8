"""Nothing that a user can type ends in a traceback: a sentence, exit code 2, and nothing is run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = """
name: Good
target: {url: http://127.0.0.1:1}
operations: {home: {request: GET /}}
users: {visitor: {tasks: [home]}}
phases: {load: {scenarios: {short: {users: 1, hold: 1s}}}}
"""


@pytest.fixture
def type_in(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "typo.yaml").write_text(GOOD.replace("hold: 1s", "hold: 5 mins").replace("[home]", "[hoem]"))
    (tmp_path / "nobody.yaml").write_text(
        "name: x\ntarget: {url: http://127.0.0.1:1}\nphases: {load: {scenarios: {a: {users: 1}}}}\n"
    )
    (tmp_path / "borrowed.yaml").write_text(
        GOOD.replace("phases: {load: {", "phases: {safety: {phase: load, ")
    )
    (tmp_path / "broken.json").write_text('{"schema_version": "1.0"')
    (tmp_path / "foreign.json").write_text('{"hello": "world"}')
    report = json.loads((ROOT / "tests" / "report" / "golden-report.json").read_text())
    report["configuration"]["scoring"] = {"weights": {"load": "heavy"}, "required": 3, "pass": "high"}
    (tmp_path / "tampered.json").write_text(json.dumps(report))
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00binary")
    (tmp_path / "folder").mkdir()

    def run(*arguments, **environ):
        return subprocess.run(
            [sys.executable, "-m", "campaign", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    yield run
    assert not (tmp_path / "reports").exists()


CASES = [
    (["run", "missing.yaml"], "no such file"),
    (["run", "folder"], "is a folder"),
    (["run", "binary.yaml"], "UTF-8"),
    (["run", "typo.yaml"], "did you mean  home"),
    (["check", "typo.yaml"], "typo.yaml:6:"),
    (["check", "nobody.yaml"], "no users"),
    (["check", "borrowed.yaml"], "the name of another phase"),
    (["run", "good.yaml", "--only", "laod"], "--only laod"),
    (["run", "good.yaml", "--skip", "laod"], "--skip laod"),
    (["run", "good.yaml", "--skip-load"], "leave no phase"),
    (["run", "good.yaml", "--only", "load", "--skip", "load"], "leave no phase"),
    (["run", "good.yaml", "--only", "failover"], "--only failover"),
    (["run", "good.yaml", "--stability-hours", "0"], "phases.stability.hours"),
    (["run", "good.yaml", "--stability-hours", "0.001"], "at least 0.0028 hours (10 seconds)"),
    (["run", "good.yaml", "--workers", "many"], "--workers many"),
    (["run", "good.yaml", "--workers", "0"], "--workers 0"),
    (["run", "good.yaml", "--target", "127.0.0.1:80"], "--target"),
    (["run", "good.yaml", "--target", "http://169.254.169.254/"], "169.254.169.254"),
    (["run", "good.yaml", "--target", "http://0.0.0.0:80"], "0.0.0.0"),
    (["run", "good.yaml", "--target", "http://192.0.2.1"], "allow_hosts"),
    (["run", "good.yaml", "--database-url", "postgresql://127.0.0.1:x/y"], "a port that is none"),
    (["run", "good.yaml", "--redis-url", "redis://127.0.0.1:99999/0"], "a port that is none"),
    (["run", "good.yaml", "--baseline", "missing.json"], "missing.json"),
    (["run", "good.yaml", "--baseline", "broken.json"], "broken.json"),
    (["run", "good.yaml", "--baseline", "foreign.json"], "foreign.json"),
    (["run", "good.yaml", "--fail-under", "101"], "--fail-under"),
    (["run", "good.yaml", "--fail-under", "lots"], "--fail-under"),
    (["run", "good.yaml", "--seed", "-1"], "--seed"),
    (["run", "good.yaml", "--defect", "stall"], "add --demo"),
    (["run", "--demo", "--defect", "stal"], "no such fault"),
    (["run", "--demo", "--target", "http://127.0.0.1:1"], "--demo and --target"),
    (["run", "--no-such-option"], "--no-such-option"),
    (["report", "missing"], "missing"),
    (["report", "broken.json"], "broken.json"),
    (["report", "foreign.json"], "foreign.json"),
    (["report", "folder"], "folder"),
    (["report", "tampered.json", "--rejudge"], "report"),
    (["demo", "--defect", "nope"], "no such fault"),
    (["demo", "--host", "192.0.2.1"], "cannot listen"),
    (["demo", "--port", "0", "--database-url", "nonsense"], "the demo keeps its data in PostgreSQL"),
    (["demo", "--port", "0", "--redis-url", "nonsense"], "cannot use Redis"),
    (["nonsense"], "nonsense"),
]


@pytest.mark.parametrize(("arguments", "words"), CASES, ids=[" ".join(arguments) for arguments, _ in CASES])
def test_a_mistake_gets_a_sentence_and_exit_2(type_in, arguments, words):
    done = type_in(*arguments)
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 2


def test_environment_variables_lie_between_file_and_options(type_in):
    bad = type_in("run", "good.yaml", CAMPAIGN_TARGET__URL="nonsense")
    assert (bad.returncode, "CAMPAIGN_TARGET__URL" in bad.stderr) == (2, True)
    good = type_in(
        "run",
        "good.yaml",
        "--dry-run",
        "--target",
        "http://127.0.0.1:2",
        CAMPAIGN_TARGET__URL="http://127.0.0.1:3",
    )
    assert "http://127.0.0.1:2" in good.stdout


def test_a_dry_run_shows_the_plan_and_sends_nothing(type_in):
    done = type_in("run", "good.yaml", "--dry-run", "--quick")
    assert done.returncode == 0
    assert "load" in done.stdout
    assert "nothing was sent" in done.stdout


def test_skipping_a_phase_that_is_not_installed_says_so_and_goes_on(type_in):
    done = type_in("run", "good.yaml", "--dry-run", "--skip-stress")
    assert done.returncode == 0
    assert "stress" in done.stderr
    assert "not installed" in done.stderr


def test_the_spellings_of_the_old_suites_still_work(type_in):
    done = type_in(
        "run", "good.yaml", "--dry-run", "--ci-mode", "--skip-stress-tests", "--url=http://127.0.0.1:4"
    )
    assert done.returncode == 0
    assert "http://127.0.0.1:4" in done.stdout


@pytest.mark.parametrize(
    "command", [[], ["run"], ["check"], ["demo"], ["report"], ["phases"], ["schema"], ["version"]]
)
def test_every_command_explains_itself(type_in, command):
    done = type_in(*command, "--help")
    assert done.returncode == 0
    assert "Usage: campaign" in done.stdout


def test_the_shipped_files_have_no_mistakes(type_in):
    for name in ("demo", "teddy-bear"):
        done = type_in("check", name)
        assert (done.returncode, "no mistakes" in done.stdout) == (0, True), done.stderr


def test_output_that_cannot_be_shown_or_written_ends_nothing(type_in, tmp_path):
    ascii_only = type_in("run", "good.yaml", "--dry-run", PYTHONIOENCODING="ascii")
    assert ascii_only.returncode == 0
    closed = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m campaign run good.yaml --dry-run >&- 2>&-"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert closed.returncode == 0
