"""`campaign monitor` watches alone, says what it saw, and ends by itself, with Ctrl-C, or at an alert."""

import csv
import os
import signal
import subprocess
import sys

import pytest
import yaml
from family import running_demo


@pytest.fixture(scope="module")
def demo():
    with running_demo() as (url, _):
        yield url


def write(folder, url, **monitor):
    plain = {
        "name": "watched",
        "target": {"url": url},
        "operations": {"health": {"request": "GET /health"}},
        "users": {"visitor": {"tasks": {"health": 1}}},
        "phases": {"load": {"scenarios": {"s": {"users": 1, "hold": "4s"}}}},
        "monitor": {"interval": "200ms", **monitor},
    }
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump(plain, sort_keys=False))
    return file


def start(folder, file, *options):
    command = [sys.executable, "-m", "campaign", "monitor", str(file), "--output", str(folder / "out")]
    return subprocess.Popen(
        [*command, *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "COLUMNS": "150", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


def rows(folder):
    (there,) = (folder / "out").iterdir()
    with (there / "series.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_value_is_written_and_the_extremes_are_shown(demo, tmp_path):
    process = start(tmp_path, write(tmp_path, demo), "--duration", "2s")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    names = {each["name"] for each in rows(tmp_path)}
    assert {"host.cpu", "target.memory", "target.started", "campaign.memory"} <= names
    memory = [
        float(each["value"]) for each in rows(tmp_path) if each["name"] == "target.memory" and each["value"]
    ]
    assert len(memory) >= 5
    assert min(memory) > 1e7
    assert "target.memory" in said
    assert "series.csv" in said


def test_it_ends_at_an_alert_that_says_so(demo, tmp_path):
    alerts = {"memory": {"series": "target.memory", "above": "1MiB", "abort": True}}
    process = start(tmp_path, write(tmp_path, demo, alerts=alerts), "--duration", "10m")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ALERT in monitor: warning: memory: target.memory above 1 MiB" in said
    assert "stopped at the alert memory" in said


def test_ctrl_c_ends_it_and_what_was_seen_is_there(demo, tmp_path):
    process = start(tmp_path, write(tmp_path, demo), "--duration", "10m")
    for line in process.stdout:
        if "host.cpu" in line:
            break
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "interrupted" in said
    assert rows(tmp_path)


def test_a_target_that_is_not_here_is_said(tmp_path):
    process = start(tmp_path, write(tmp_path, "http://127.0.0.1:9"), "--duration", "1s")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "was not found on this machine" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--duration", "soon"], "--duration soon: not a duration"),
        (["--duration", "0s"], "not longer than 0"),
        (["--interval", "1ms"], "--interval  monitor.interval"),
    ],
)
def test_a_mistake_gets_a_sentence(tmp_path, options, words):
    process = start(tmp_path, write(tmp_path, "http://127.0.0.1:9"), *options)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert words in said
    assert not (tmp_path / "out").exists()
