"""An alert begins when a series was beyond its level for long enough, ends once, and is never made up."""

import json
import subprocess
import sys

import pytest
import yaml
from family import running_demo
from receiver import receiving

from campaign.monitor.alerts import AlertRule, Alerts, Side

MEMORY = AlertRule("memory", "target.memory", Side.ABOVE, 100.0, "B", seconds=2.0)


def told(rule, values, unit="B"):
    """Seconds at which it began and ended, with one reading a second."""
    alerts = Alerts([rule])
    return [
        ("over" if change.over else "raised", at)
        for at, value in enumerate(values)
        for change in alerts.hear(at, {rule.series: (value, unit)})
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([50, 150, 150, 150, 150, 50], [("raised", 3), ("over", 5)]),
        ([150, 150, 50, 150, 150, 50], []),
        ([150, 150, None, 150, 150, 150], [("raised", 5)]),
        ([150, 150, 150, None, None, 150, 100], [("raised", 2), ("over", 6)]),
        ([150, 150, 150, 50, 150, 150, 150], [("raised", 2), ("over", 3), ("raised", 6)]),
        ([100] * 9, []),
    ],
)
def test_it_begins_after_the_time_and_a_gap_neither_raises_nor_ends_it(values, expected):
    assert told(MEMORY, values) == expected


def test_below_is_the_other_side():
    rule = AlertRule("idle", "host.cpu", Side.BELOW, 0.05, "share")
    assert told(rule, [0.5, 0.01, 0.5], "share") == [("raised", 1), ("over", 2)]


def test_what_was_never_read_or_is_in_another_unit_is_said_and_judged_by_nobody():
    missing = AlertRule("queue", "prometheus.queue", Side.ABOVE, 5.0)
    alerts = Alerts([missing, MEMORY])
    assert list(alerts.hear(0.0, {"target.memory": (500.0, "share")})) == []
    assert list(alerts.unjudged()) == [
        "The alert queue was never judged: nothing was read of prometheus.queue.",
        "The alert memory was never judged: target.memory is in 'share', its level in 'B'.",
    ]


def test_each_is_kept_with_its_moments_and_its_worst_value():
    alerts = Alerts([MEMORY])
    for at, value in enumerate([150, 150, 170, 160, 50]):
        list(alerts.hear(at, {"target.memory": (value, "B")}))
    (plain,) = alerts.plain()
    assert plain["rule"] == "target.memory above 100 B for 2 s"
    assert plain["times"] == [{"began": 0, "until": 4, "worst": 170}]


@pytest.fixture(scope="module")
def demo():
    with running_demo() as (url, _):
        yield url


def run(folder, url, alerts, *options, **more):
    plain = {
        "name": "watched",
        "target": {"url": url, "health": "GET /health"},
        "operations": {"health": {"request": "GET /health"}},
        "users": {"visitor": {"tasks": {"health": 1}}},
        "phases": {
            name: {"phase": "load", "scenarios": {"s": {"users": 1, "hold": "4s"}}} for name in ("a", "b")
        },
        "monitor": {"interval": "200ms", "alerts": alerts},
        **more,
    }
    file = folder / "campaign.yaml"
    file.write_text(yaml.safe_dump(plain, sort_keys=False))
    command = [sys.executable, "-m", "campaign", "run", str(file), "--output", str(folder / "out"), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    (there,) = (folder / "out").iterdir()
    return done, json.loads((there / "report.json").read_text()), there


def test_it_is_told_live_to_a_webhook_and_on_the_page(demo, tmp_path):
    alerts = {
        "memory": {"series": "target.memory", "above": "1MiB", "for": "1s", "severity": "critical"},
        "never": {"series": "target.memory", "above": "900GiB"},
        "unseen": {"series": "prometheus.nothing", "above": 1},
    }
    with receiving() as receiver:
        done, report, there = run(
            tmp_path, demo, alerts, "--skip", "b", notify={"webhook": receiver.url, "on": "alert"}
        )
    assert done.returncode == 0, done.stdout
    said = "critical: memory: target.memory above 1 MiB for 1 s"
    assert f"ALERT in monitor: {said}" in done.stdout
    assert said in receiver.texts[0]
    kept = {each["name"]: each for each in report["performance_monitoring"]["facts"]["alerts"]}
    assert [kept[name]["raised"] for name in alerts] == [1, 0, 0]
    assert kept["memory"]["times"][0]["until"] is None
    assert "The alert unseen was never judged" in " ".join(report["performance_monitoring"]["notes"])
    page = (there / "report.html").read_text()
    assert "target.memory above 1 MiB for 1 s" in page
    assert "never judged" in page


def test_it_ends_the_campaign_where_it_says_so(demo, tmp_path):
    alerts = {"memory": {"series": "target.memory", "above": "1MiB", "abort": True}}
    done, report, _ = run(tmp_path, demo, alerts)
    first, second = report["test_results"]
    assert (first["status"], second["status"]) == ("interrupted", "skipped")
    assert "stopped at the alert memory: target.memory above 1 MiB" in second["reason"]["text"]
    assert report["test_suite_summary"]["stop_reason"] == "stopped_at_alert"
    assert done.returncode == 1
