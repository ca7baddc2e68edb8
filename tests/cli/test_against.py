"""`campaign run --against URL`: a second target for the benchmarks, and what is refused."""

import json
import subprocess
import sys

import pytest

from campaign.cli.planning import read_against
from campaign.errors import ConfigurationError

CAMPAIGN = """
name: Two
target: {{url: "{url}"}}
operations: {{home: {{request: GET /}}}}
users: {{visitor: {{tasks: [home]}}}}
phases: {phases}
"""
BENCHMARK = "{benchmark: {iterations: 20, warm_up: 2, operations: {home: 1s}}}"
LOAD = "{load: {scenarios: {calm: {users: 1, hold: 1s}}}}"


@pytest.fixture
def run(tmp_path, plain_target):
    def start(*options, phases=BENCHMARK):
        file = tmp_path / "campaign.yaml"
        file.write_text(CAMPAIGN.format(url=plain_target.url, phases=phases))
        command = [sys.executable, "-m", "campaign", "run", str(file), "--output", str(tmp_path / "reports")]
        return subprocess.run([*command, *options], capture_output=True, text=True, timeout=90, check=False)

    return start


def test_two_targets_are_measured_in_turn_and_the_report_shows_both(run, plain_target, tmp_path):
    done = run("--against", plain_target.url)
    [folder] = (tmp_path / "reports").iterdir()
    told = json.loads((folder / "report.json").read_text())
    [result] = [each for each in told["test_results"] if each["phase"] == "benchmark"]
    [entry] = result["evidence"]["facts"]["entries"]
    assert (entry["target"]["count"], entry["reference"]["count"]) == (20, 20)
    assert {each["check"] for each in result["findings"]} == {
        "operation.home.mean",
        "operation.home.against",
    }
    page = (folder / "report.html").read_text()
    assert f"In turn with a second target, <b>{plain_target.url}</b>" in page
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://user:secret@127.0.0.1:9", "--against: the URL of 127.0.0.1 holds credentials"),
        ("http://203.0.113.7:80", "phases.benchmark.against: 203.0.113.7 is neither loopback nor private"),
    ],
)
def test_a_second_target_that_may_not_be_is_refused_before_anything_is_sent(run, plain_target, url, said):
    done = run("--against", url)
    assert done.returncode == 2
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert plain_target.requests == []


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://127.0.0.1:notaport", "http://", ""])
def test_what_is_no_url_is_no_second_target(url):
    with pytest.raises(ConfigurationError, match=r"--against: '.*' is not a URL"):
        read_against(url)


@pytest.mark.parametrize(
    "how", [{"phases": LOAD}, {"phases": f"{LOAD[:-1]}, {BENCHMARK[1:]}", "skip": ["--skip-benchmark"]}]
)
def test_without_the_benchmarks_a_second_target_means_nothing(run, plain_target, how):
    done = run("--against", plain_target.url, *how.get("skip", ()), phases=how["phases"])
    assert done.returncode == 2
    assert "no phase of this campaign compares two targets" in done.stderr
    assert plain_target.requests == []
