"""`campaign.run` and `campaign.stop`, as a script would use them: one without a __main__ guard, too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = """
name: From Python
target: {{url: "{url}", health: GET /}}
operations: {{home: {{request: GET /}}}}
users: {{visitor: {{wait: 10ms, tasks: [home]}}}}
phases: {{load: {{scenarios: {{short: {{users: 4, ramp: 100/s, hold: {hold}}}}},
  limits: {{all: {{error_rate: < 50%, longest_stall: 30s}}}}}}}}
"""


@pytest.fixture
def url(plain_target):
    return plain_target.url


def script(name, *, cwd):
    return subprocess.run(
        [sys.executable, name],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_script_without_a_main_guard_gets_the_result_of_a_campaign(tmp_path, url):
    (tmp_path / "campaign.yaml").write_text(FILE.format(url=url, hold="2s"))
    (tmp_path / "script.py").write_text(
        "import campaign\n"
        "result = campaign.run('campaign.yaml')\n"
        "print(result.exit_code, result.gate.headline, result.score.bounds.score)\n"
    )
    done = script("script.py", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("0 ready in scope 100.0\n", "")
    assert len(list(tmp_path.glob("reports/*/report.html"))) == 1


def test_stop_from_another_thread_ends_it_cleanly(tmp_path, url):
    (tmp_path / "campaign.yaml").write_text(FILE.format(url=url, hold="60s"))
    (tmp_path / "script.py").write_text(
        "import threading, campaign\n"
        "from campaign.events import PhaseProgressed\n"
        "from campaign.runner.campaign import Options\n"
        "def stop_in_load(event):\n"
        "    if isinstance(event, PhaseProgressed):\n"
        "        threading.Thread(target=campaign.stop).start()\n"
        "result = campaign.run('campaign.yaml', options=Options(listeners=(stop_in_load,)))\n"
        "print(result.exit_code, result.results[0].status)\n"
    )
    done = script("script.py", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("130 interrupted\n", "")


def test_a_mistake_in_the_file_is_an_exception_that_holds_all_of_them(tmp_path):
    (tmp_path / "campaign.yaml").write_text("name: 1\nphases: {lod: {}}\n")
    (tmp_path / "script.py").write_text(
        "import campaign\nfrom campaign.errors import ConfigurationError\n"
        "try:\n    campaign.run('campaign.yaml')\n"
        "except ConfigurationError as error:\n    print(len(error.mistakes) > 1)\n"
    )
    assert script("script.py", cwd=tmp_path).stdout == "True\n"


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"pydantic", "rich", "typer", "httpx", "numpy", "scipy", "sqlalchemy", "fastapi"}
    code = f"import campaign, sys; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
