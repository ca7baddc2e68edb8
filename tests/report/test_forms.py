"""JUnit, CSV, Markdown and the terminal: the same facts, each safe to read in its own place."""

import csv
import io
import os
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from campaign.errors import ReportError
from campaign.records import Evidence, Measurement
from campaign.report import junit, markdown, tables, terminal
from campaign.report.atomic import write_text
from campaign.report.write import write_all

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

FORMS = [
    "failures.csv",
    "junit.xml",
    "report.html",
    "report.json",
    "series.csv",
    "stats.csv",
    "summary.md",
]


def printed(result, *, width=80, color=False):
    console = Console(
        file=io.StringIO(), width=width, force_terminal=color, color_system="truecolor" if color else None
    )
    console.print(terminal.summary(result, "reports/teddy/report.html"))
    return console.file.getvalue()


def test_every_form_is_written_and_nothing_else_is_left(all_phases, tmp_path):
    page = write_all(
        all_phases, tmp_path / "run", partials={"load": ("phases.load", "partial.html"), "safety": None}
    )
    assert tmp_path / "run" / "report.html" == page
    assert sorted(each.name for each in (tmp_path / "run").iterdir()) == FORMS
    assert "the database pool is exhausted" in page.read_text(encoding="utf-8")


def test_a_partial_that_is_not_there_is_said_on_the_page(all_phases, tmp_path):
    page = write_all(all_phases, tmp_path, partials={"load": ("phases.gone", "partial.html")})
    assert "its template cannot be read" in page.read_text(encoding="utf-8")


def test_hostile_results_can_be_written_in_every_form(hostile_result, tmp_path):
    write_all(hostile_result, tmp_path)
    for name in FORMS:
        text = (tmp_path / name).read_text(encoding="utf-8")
        if name != "report.json":
            assert HIDDEN.findall(text.replace("\r\n", "\n")) == [], name


def test_a_folder_that_cannot_be_made_is_named(all_phases, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"file/run cannot be made: Not a directory"):
        write_all(all_phases, tmp_path / "file" / "run")


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_draft(tmp_path, monkeypatch):
    target = tmp_path / "report.json"
    target.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match=r"report\.json cannot be written: No space left on device"):
        write_text(target, "new")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


def test_junit_has_a_suite_per_phase_and_a_case_per_finding(all_phases):
    root = ET.fromstring(junit.render(all_phases))  # noqa: S314 - our own text
    suites = {each.get("name"): each for each in root}
    assert [each.phase for each in all_phases.results] == list(suites)
    assert tuple(suites["failover"].get(key) for key in ("tests", "failures", "errors", "skipped")) == (
        "4",
        "2",
        "0",
        "0",
    )
    assert tuple(suites["benchmark"].get(key) for key in ("tests", "failures", "errors", "skipped")) == (
        "1",
        "0",
        "1",
        "0",
    )
    failure = suites["failover"].find("testcase/failure")
    assert ("blocker", all_phases.results[2].findings[0].message) == (
        failure.get("type"),
        failure.get("message"),
    )
    assert [str(sum(int(each.get("tests")) for each in root)), "3"] == [
        root.get("tests"),
        root.get("failures"),
    ]
    assert "inconclusive: content filter" in suites["safety"].find("testcase/skipped").get("message")


def test_junit_stays_xml_whatever_the_target_said(hostile_result):
    root = ET.fromstring(junit.render(hostile_result))  # noqa: S314 - our own text
    assert list(root.iter("script")) == []
    assert len(root) == 7


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def test_the_tables_hold_every_measurement_error_group_and_point(all_phases, tmp_path):
    write_all(all_phases, tmp_path)
    stats, failures, series = (
        rows((tmp_path / f"{name}.csv").read_text()) for name in ("stats", "failures", "series")
    )
    assert ["load", "peak.converse.p95", "0.26", "s", "48211", "0.251", "0.27"] in stats
    assert failures[1] == ["load", "peak", "converse", "status", "status 503", "17", "201.4", "287.9"]
    recorded = [each for phase in all_phases.results for each in phase.evidence.series]
    wanted = sum(len(each.times) for each in (*recorded, *all_phases.monitoring.series))
    assert wanted == len(series) - 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1+1", "\r=1+1", "\u200b=1+1"])
def test_a_spreadsheet_runs_no_text_as_a_formula(text):
    cell = rows(tables.table(("name",), [(text,)]))[1][0]
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))


def test_numbers_stay_numbers_even_below_zero():
    assert rows(tables.table(("a", "b"), [(-1.5, None)]))[1] == ["-1.5", ""]


def test_facts_of_another_shape_are_no_failures(all_phases):
    odd = replace(all_phases.results[1], evidence=Evidence(facts={"scenarios": {"errors": "many"}}))
    text = tables.table(tables.FAILURES, tables._failures(replace(all_phases, results=(odd,))))
    assert len(rows(text)) == 1


def test_markdown_gives_the_verdict_and_what_to_fix(all_phases):
    text = markdown.render(all_phases)
    assert "## ✗ AI Teddy Bear: not ready" in text
    assert "**59 of 100**, lower bound 59 (gate 80), 80 % of the planned weight judged" in text
    assert "| ✗ blocker | 3 of 24,770 acknowledged messages" in text
    assert "| failover | 59 → 77.5 |" in text


def test_markdown_of_a_hostile_target_mentions_nobody_and_links_nowhere(hostile_result):
    finding = replace(
        hostile_result.improvements[0].finding, message="@all see https://evil.example | [x](y) `a`"
    )
    first = replace(hostile_result.improvements[0], finding=finding)
    text = markdown.render(replace(hostile_result, improvements=(first,)))
    assert re.search(r"@\w|\w://|(?<!\\)\[x|(?<!\\)`|<script|<img", text) is None
    row = next(line for line in text.splitlines() if "evil" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == 5


def test_the_terminal_says_the_verdict_the_findings_and_the_exit_code_in_80_columns(all_phases):
    text = printed(all_phases)
    assert max(len(line) for line in text.splitlines()) <= 80
    for said in (
        "✗ NOT READY   59 of 100",
        "capped at 59 by 2 blockers, 82.8 without",
        "✗ blocker",
        "59 -> 77.5",
        "? inconclusive",
        "? skipped  stability",
        "report  reports/teddy/report.html",
        "exit 1: 2 blocker findings failed",
    ):
        assert said in text


def test_the_terminal_uses_colour_only_where_there_is_one(all_phases):
    assert "\x1b" not in printed(all_phases)
    assert "\x1b[" in printed(all_phases, color=True)


def test_the_terminal_shows_hostile_text_as_text(hostile_result):
    text = printed(hostile_result)
    assert HIDDEN.findall(text) == []
    assert "\\x1b[31m" in text


def test_the_terminal_says_when_nothing_was_measured(not_measured):
    text = printed(not_measured)
    assert "? NOT MEASURED" in text
    assert "exit 3: http://127.0.0.1:8000/health: connection refused" in text
    assert "0 of 100" not in text


def test_the_last_line_is_short_however_much_the_first_reason_says(all_phases):
    gate = replace(all_phases.gate, reasons=("1 blocker finding failed: " + "very long words " * 30,))
    last = printed(replace(all_phases, gate=gate), width=200).rstrip().splitlines()[-1]
    assert last.strip().startswith("exit 1: 1 blocker finding failed: very long words very")
    assert last.endswith(("very…", "long…", "words…"))
    assert len(last.strip()) <= len("exit 1: ") + 100


def test_without_load_the_comment_says_nothing_of_its_requests(all_phases):
    assert "144,034 load requests" in markdown.render(all_phases)
    bare = tuple(replace(each, evidence=Evidence()) for each in all_phases.results)
    assert " requests" not in markdown.render(replace(all_phases, results=bare))


def test_a_green_run_is_said_with_its_scope(all_green):
    text = printed(all_green)
    assert "✓ READY IN SCOPE   100 of 100" in text
    assert "20 of 100 weight in scope" in text


def test_measurements_that_could_not_be_made_are_empty_cells(all_phases):
    odd = replace(all_phases.results[1], evidence=Evidence(measurements=(Measurement("m", None, "s"),)))
    text = tables.table(tables.STATS, tables._stats(replace(all_phases, results=(odd,))))
    assert rows(text)[1] == ["database", "m", "", "s", "0", "", ""]
