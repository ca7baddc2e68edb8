"""`--metrics-port` tells Prometheus how a campaign goes; what is shipped for it names what is told."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from family import running_demo
from prometheus_client.parser import text_string_to_metric_families

from campaign.events import Alerted, CampaignBegan, PhaseBegan, PhaseProgressed
from campaign.metrics.state import NAMES, CampaignMetrics
from campaign.monitor.feed import Feed
from campaign.phase import Progress

EXAMPLES = Path(__file__).parents[2] / "examples" / "monitoring"


@pytest.fixture(scope="module")
def demo():
    with running_demo() as (url, _):
        yield url


def write(folder, url):
    plain = {
        "name": "told",
        "target": {"url": url, "health": "GET /health"},
        "operations": {"health": {"request": "GET /health"}},
        "users": {"visitor": {"tasks": {"health": 1}, "wait": "50ms..100ms"}},
        "phases": {"load": {"scenarios": {"s": {"users": 2, "hold": "8s"}}}},
        "monitor": {"interval": "200ms"},
    }
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump(plain, sort_keys=False))
    return file


def start(folder, url, port):
    file = str(write(folder, url))
    command = [sys.executable, "-u", "-m", "campaign", "run", file, "--metrics-port", port]
    return subprocess.Popen(
        [*command, "--output", str(folder / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def scraped(address):
    told = httpx.get(address, timeout=10).raise_for_status().text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }


def test_it_is_told_while_it_runs(demo, tmp_path):
    process = start(tmp_path, demo, "0")
    address = re.search(r"metrics +(http://127\.0\.0\.1:\d+/metrics)", process.stdout.readline())[1]
    seen = {}
    while process.poll() is None and not seen.get(("campaign_phase_progress_ratio", "load")):
        seen = scraped(address)
    assert seen["campaign_phase_running", "load"] == 1
    assert seen["campaign_load_users", "load"] == 2
    assert 0 < seen["campaign_phase_progress_ratio", "load"] < 1
    assert seen["campaign_monitored", "B", "target.memory"] > 1e7
    assert seen["campaign_load_requests_per_second", "load"] > 0
    said, _ = process.communicate(timeout=60)
    assert process.returncode in {0, 3}, said  # so few requests settle little


def test_a_port_that_is_taken_is_said_and_nothing_is_run(demo, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(tmp_path, demo, str(taken.getsockname()[1]))
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "cannot listen at 127.0.0.1:" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("port", ["many", "70000", "host:"])
def test_no_port_is_a_mistake(demo, tmp_path, port):
    process = start(tmp_path, demo, port)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"--metrics-port {port}: not a port" in said


def families(metrics):
    return {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for family in metrics.collect()
    }


def test_alerts_are_counted_and_a_gap_is_no_value():
    feed = Feed()
    metrics = CampaignMetrics(feed)
    for event in (
        CampaignBegan("x", "http://127.0.0.1", "test", 7, "", ()),
        PhaseBegan("load", 1.0),
        PhaseProgressed("load", Progress(0.5, "", {"rate": 10.0})),
        PhaseProgressed("load", Progress(None, "", {"p95": 0.2})),
        Alerted("safety", "violation", "seen"),
        Alerted("monitor", "alert", "full"),
        Alerted("safety", "violation", "again"),
    ):
        metrics(event)
    feed.hear(0.0, {"a": (1.0, "B"), "b": (None, "B")})
    told = families(metrics)
    assert told["campaign_alerts"] == {("violation",): 2, ("alert",): 1}
    assert told["campaign_phase_progress_ratio"] == {("load",): 0.5}
    assert told["campaign_load_requests_per_second"] == {("load",): 10.0}
    assert told["campaign_monitored"] == {("a", "B"): 1.0}


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "alert-rules.yaml"])
def test_what_is_shipped_names_metrics_that_there_are(name):
    text = (EXAMPLES / name).read_text()
    plain = json.loads(text) if name.endswith("json") else yaml.safe_load(text)
    used = set(re.findall(r"\bcampaign_[a-z0-9_]+", " ".join(expressions(plain))))
    assert used
    assert used <= set(NAMES)


def expressions(plain):
    if isinstance(plain, dict):
        for key, value in plain.items():
            yield from [value] if key == "expr" else expressions(value)
    elif isinstance(plain, list):
        for each in plain:
            yield from expressions(each)


def test_every_metric_is_in_the_docs_and_on_the_dashboard_or_in_a_rule():
    page = (EXAMPLES.parents[1] / "docs" / "monitoring.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in page] == []
