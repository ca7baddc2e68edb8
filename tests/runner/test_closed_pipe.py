"""Who reads our output may go away; the campaign does not care."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOBODY_THERE = """
name: Short
target: {url: "http://127.0.0.1:9"}
operations: {home: {request: GET /}}
users: {visitor: {wait: 1s, tasks: [home]}}
phases: {load: {scenarios: {short: {users: 1, hold: 3s}}}}
"""


def test_the_report_is_written_and_the_exit_code_right_when_nobody_reads_our_output(tmp_path):
    (tmp_path / "campaign.yaml").write_text(NOBODY_THERE)
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen(
        [sys.executable, "-m", "campaign", "run"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (3, "")
    assert len(list(tmp_path.glob("reports/*/report.html"))) == 1
