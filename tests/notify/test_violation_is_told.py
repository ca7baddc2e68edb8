"""A violation is told outside while its phase still runs, and may end the campaign; nothing else does."""

import json
import subprocess
import sys

import pytest
import yaml
from family import FILE, SAFETY, running_demo
from receiver import receiving

from phases.safety.settings import PartName

PATIENCE = 120
OTHERS = [name for name in PartName.__args__ if name != "isolation"]


@pytest.fixture(scope="module")
def leaky():
    """The URL of a demo that shows anybody's conversations."""
    with running_demo("--defect", "idor-read") as (url, _):
        yield url


def write(folder, url, **more):
    """A campaign file of the isolation part twice, so that something is left to be stopped."""
    plain = yaml.safe_load(FILE)
    only = {**SAFETY, "skip": OTHERS, "resources": {
        name: SAFETY["resources"][name] for name in ("conversation", "activities")
    }}  # fmt: skip
    plain["target"] = {"url": url, "health": "GET /health"}
    plain["phases"] = {"safety": only, "again": {"phase": "safety", **only}}
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump({**plain, **more}, sort_keys=False))
    return file


def run(file, *options):
    """The exit code, what was printed, the events and the report."""
    folder = file.parent / "out"
    command = [sys.executable, "-m", "campaign", "run", str(file), "--output", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    (there,) = folder.iterdir()
    events = [json.loads(line) for line in (there / "events.jsonl").read_text().splitlines()]
    return done, events, json.loads((there / "report.json").read_text()), there


def test_the_webhook_hears_of_it_before_the_phase_ends_and_the_campaign_goes_on(leaky, tmp_path):
    with receiving() as receiver:
        file = write(tmp_path, leaky, notify={"webhook": receiver.url})
        done, events, report, there = run(file, "--skip", "again")
    (ended,) = [each["at"] for each in events if each["event"] == "PhaseEnded" and each["label"] == "safety"]
    heard_at, said = receiver.heard[0]
    assert heard_at < ended
    assert said["text"].startswith("VIOLATION in families")
    assert "isolation.conversation.read: " in said["text"]
    assert [each["kind"] for each in events if each["event"] == "Alerted"] == ["violation"]
    assert "VIOLATION in safety: isolation.conversation.read" in done.stdout
    assert "exit code 1" in receiver.texts[-1]
    assert len(receiver.texts) == 2
    assert done.returncode == 1
    everything = b"".join(each.read_bytes() for each in there.rglob("*") if each.is_file())
    assert b"xyzzy" not in everything  # whoever knows the address may write there
    tried = [each["check"] for each in finding_of(report, "safety")]
    assert "isolation.activities.read" in tried


def finding_of(report, phase):
    (result,) = [each for each in report["test_results"] if each["phase"] == phase]
    return result["findings"]


def test_the_campaign_ends_at_the_first_where_it_is_asked_to(leaky, tmp_path):
    with receiving() as receiver:
        receiver.behaviour = lambda handler: handler.behaves(404)
        file = write(tmp_path, leaky, notify={"webhook": receiver.url})
        done, _, report, there = run(file, "--stop-on", "violation")
    first, second = report["test_results"]
    assert (first["status"], first["reason"]["text"]) == (
        "interrupted",
        "stopped at the first violation, seen in safety, and judged on what was recorded",
    )
    assert (second["status"], second["reason"]["text"]) == (
        "skipped",
        "not run: stopped at the first violation, seen in safety",
    )
    outcomes = {each["check"]: each["outcome"] for each in first["findings"]}
    assert outcomes["isolation.conversation.read"] == "failed"
    assert outcomes["isolation.activities.read"] == "inconclusive"
    messages = {each["check"]: each["message"] for each in first["findings"]}
    assert "the phase was ended before" in messages["isolation.activities.read"]
    assert done.returncode == 1
    undelivered = "2 messages were not delivered to the webhook at 127.0.0.1:"
    assert undelivered in done.stdout
    assert undelivered in (there / "report.html").read_text()
    assert any(undelivered in note for note in report["performance_monitoring"]["notes"])
    reasons = report["production_readiness"]["reasons"]
    assert "the campaign was stopped at the first violation, before its end" in reasons
