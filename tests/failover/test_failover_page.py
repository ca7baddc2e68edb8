"""The failover part of the page: charts with the faults, every figure, and nothing that breaks out of it."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from importlib.resources import files
from pathlib import Path

import pytest
from servers import need
from stories import compared, down, story, strike

from campaign.records import Evidence, PhaseResult, Status
from campaign.report.document import read_document
from campaign.report.html import _environment, render
from phases.failover.judge import judge_failover
from phases.failover.measure import SCENARIOS, measure
from phases.failover.settings import FailoverSettings
from phases.failover.story import Ending, Readback

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HOSTILE = '</script><script>alert(1)</script> \'onload="alert(2)"'
GOLDEN = Path(__file__).parents[1] / "report" / "golden-report.json"
PARTIAL = files("phases.failover").joinpath("partial.html").read_text(encoding="utf-8")


def rendered(*told):
    facts = {SCENARIOS: [measure(each) for each in told]}
    phase = {"phase": "failover", "findings": []}
    return _environment().from_string(PARTIAL).render(phase=phase, evidence={"facts": facts})


def in_a_report(phase):
    """A whole result with this phase instead of its own."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return replace(read_document(golden), results=(phase,))


def charts(page):
    return [json.loads(unescape(each)) for each in re.findall(r"data-outage='([^']*)'", page)]


def test_each_fault_has_its_charts_with_the_shade_and_the_moments():
    (drawn,) = charts(rendered(story()))
    assert [each["title"] for each in drawn["charts"]] == ["Response time", "Requests that failed"]
    assert drawn["shades"] == [{"name": "database", "began": 5.0, "ended": 10.2}]
    named = [each["what"] for each in drawn["marks"] if each["named"]]
    assert named == ["database: command sent", "first failure", "database: start command", "recovered"]
    lines = [line for chart in drawn["charts"] for line in chart["lines"]]
    assert {len(line[key]) for line in lines for key in ("times", "values")} == {80}


def test_the_table_has_the_figures_of_every_fault():
    text = re.sub(r"<[^>]+>", " ", rendered(story(readbacks=(Readback("api", compared(lost=3)),))))
    flat = " ".join(text.split())
    assert "152 ms 5.35 s 500 ms 50 ms 165 160 0" in flat
    assert "api 200 0 0 3 0 0 0" in flat
    assert "status 503 107 history unavailable" in flat


def test_what_never_recovered_and_what_nobody_felt_are_told_as_such():
    page = rendered(story(down(5.15, 99.0), seconds=45.0), story(down(0, 0)))
    assert "> 35 s" in unescape(page)
    assert "not felt" in page


def test_what_could_not_run_and_what_was_not_put_back_are_told():
    left = strike(restored=False, restored_detail="it does not run", by_hand=("docker start teddy-postgres",))
    page = rendered(story(strikes=(left,)), story(strikes=(), why="all was not well before it"))
    assert "docker start teddy-postgres" in page
    assert "nothing was broken: all was not well before it" in page


def test_what_a_target_says_stays_text():
    answer = down(5.15, 10.5, said=HOSTILE)
    page = rendered(story(answer, strikes=(strike(what=HOSTILE, proof=HOSTILE),), title=HOSTILE))
    assert "<script" not in page
    assert len(charts(page)) == 1


def test_nothing_recorded_is_told():
    page = _environment().from_string(PARTIAL).render(phase={"phase": "x"}, evidence={"facts": {}})
    assert "Nothing was broken." in page


@pytest.mark.browser
def test_a_browser_draws_the_charts(tmp_path):
    browser = need(shutil.which("chromium") or shutil.which("google-chrome"), "Chromium")
    evidence = Evidence(facts={SCENARIOS: [measure(story(down(5.15, 10.5, ending=Ending.HUNG, took=2.0)))]})
    settings = FailoverSettings.model_validate({"scenarios": {"database_down": {}}})
    findings = tuple(judge_failover(evidence, settings))
    result = PhaseResult("faults", "failover", "Failover", Status.COMPLETED, evidence, findings)
    page = tmp_path / "page.html"
    page.write_text(render(in_a_report(result), {"failover": PARTIAL}), encoding="utf-8")
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    command = [browser, *FLAGS, profile, "--virtual-time-budget=3000", "--dump-dom", page.as_uri()]
    seen = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    outage = seen[seen.index("data-outage=") : seen.index('<ol class="moments"')]
    assert outage.count("<canvas") == 2
