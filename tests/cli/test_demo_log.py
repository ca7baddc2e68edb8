"""With --demo the safety phase looks into the demo's access log, which is gone afterwards."""

import json
import os
import subprocess
import sys

import pytest

FILE = """
name: log
target: {url: "http://127.0.0.1:9", environment: demo, health: GET /health}
operations:
  enroll:
    request: POST /api/auth/register
    json: {email: "{{ canary }}@example.com", password: "{{ canary }}", name: "Pat {{ canary }}"}
    expect: 201
    save: {token: $.access_token}
  leave: {request: POST /api/gdpr/delete, auth: "{{ token }}", json: {password: "{{ canary }}"}, expect: 204}
  me: {request: GET /api/user/me, auth: "{{ token }}", expect: 200}
phases:
  safety:
    skip: [isolation, crowd, sessions, consent, deletion, retention, audio, parties, content, quotas]
    roles: {parent: {start: [enroll], stop: [leave], credentials: [token]}}
    transport: {operations: [me]}
"""


@pytest.mark.parametrize(
    ("defects", "outcome"),
    [([], "passed"), pytest.param(["--defect", "pii-in-logs"], "failed", marks=pytest.mark.defects)],
)
def test_the_log_of_the_demo_is_looked_into_and_gone_afterwards(tmp_path, defects, outcome):
    file = tmp_path / "campaign.yaml"
    file.write_text(FILE)
    kept = tmp_path / "temporary"
    kept.mkdir()
    command = [sys.executable, "-m", "campaign", "run", str(file), "--demo", *defects]
    command += ["--output", str(tmp_path / "runs")]
    environment = {**os.environ, "TMPDIR": str(kept)}
    subprocess.run(command, capture_output=True, timeout=120, check=False, cwd=tmp_path, env=environment)
    (report,) = (tmp_path / "runs").glob("*/report.json")
    document = json.loads(report.read_text())
    (phase,) = (each for each in document["test_results"] if each["phase"] == "safety")
    (finding,) = (each for each in phase["findings"] if each["check"] == "transport.logs")
    assert finding["outcome"] == outcome, finding["message"]
    assert list(kept.iterdir()) == []
