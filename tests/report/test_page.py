"""The page as text: self-contained, everything said, and whole whatever a phase's own part does."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from campaign.records import Evidence, Finding, Outcome, Series, Severity
from campaign.report import html
from campaign.report.html import render

PARTIAL = (Path(__file__).parents[2] / "phases" / "load" / "partial.html").read_text(encoding="utf-8")


def data_of(page):
    return json.loads(re.search(r'id="chart-data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_asks_nobody_for_anything(all_phases):
    page = render(all_phases, {"load": PARTIAL})
    assert re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']*""", page) == []
    assert re.findall(r"@import|url\(", page) == []
    assert "default-src 'none'" in page


def test_a_reader_without_scripts_still_finds_every_finding_and_remedy(all_phases):
    page = render(all_phases)
    for phase in all_phases.results:
        for finding in phase.findings:
            assert f"<code>{finding.check}</code>" in page
    for each in all_phases.improvements:
        assert each.finding.remedy in page
    assert "<noscript>" in page


@pytest.mark.parametrize(
    "said",
    [
        "Not ready",
        "capped from 82.8",
        "Capped at 59 by 2 blockers, 82.8 without.",
        "90 of 100 weight in scope; stability not assessed.",
        "59 → 77.5",
        "with both fixed",
        "144,034 load requests",
        "The stress phase is not installed",
        "ValueError: no operation to repeat",
        "Not asked for (--stability-hours 24)",
        "campaign report report.json --rejudge",
        "teddy-api 2.14.0 (9f31c2a)",
    ],
)
def test_the_page_says_what_a_release_manager_asks_for(all_phases, said):
    assert said in render(all_phases)


def test_the_load_phase_shows_its_operations_errors_and_generator(all_phases):
    page = render(all_phases, {"load": PARTIAL})
    for said in (
        "48,211",
        "442 ms",
        "244 ms",
        "status 503",
        "the database pool is exhausted",
        "loop lag p99 1.2 ms",
    ):
        assert said in page


def test_a_saturated_generator_is_said_beside_the_figures_it_spoils(all_phases):
    load, *rest = all_phases.results
    scenario = load.evidence.facts["scenarios"][0]
    tired = scenario | {"generator": scenario["generator"] | {"saturation": "97% of a core used by a worker"}}
    facts = {"scenarios": [tired]}
    result = replace(all_phases, results=(replace(load, evidence=Evidence(facts=facts)), *rest))
    assert "at its limit: 97% of a core used by a worker" in render(result, {"load": PARTIAL})


def test_a_phase_that_was_stopped_early_can_lack_any_figure(all_phases):
    load, *rest = all_phases.results
    scenario = load.evidence.facts["scenarios"][0]
    times = dict.fromkeys(("p50", "p95", "p99", "mean", "max"))
    bare = {
        "name": "converse",
        "count": 0,
        "rate": None,
        "error_rate": None,
        "response": times,
        "service": times,
    }
    early = scenario | {"operations": [bare], "load_reached": None, "longest_stall": None}
    result = replace(
        all_phases, results=(replace(load, evidence=Evidence(facts={"scenarios": [early]})), *rest)
    )
    page = render(result, {"load": PARTIAL})
    assert "could not be drawn" not in page
    assert "not measured" in page


def test_a_foreign_phase_gets_its_data_our_macros_and_our_filters(all_phases):
    source = (
        '{% import "macros.html.j2" as page %}<b>{{ phase.title }} {{ page.outcome("passed") }} '
        '{{ evidence.measurements[0].value | quantity("s") }} {{ 0.5 | percent }}</b>'
    )
    page = render(all_phases, {"database": source})
    assert "<b>Database <span" in page
    assert " passed</span> 33.3 min 50 %</b>" in page


@pytest.mark.parametrize(
    "source", ["{{ phase.nothing.there }}", "{% if %}", "{{ 1 / 0 }}", '{% include "gone" %}']
)
def test_a_failing_partial_costs_its_own_part_and_nothing_else(all_phases, source):
    page = render(all_phases, {"failover": source})
    assert page.count("could not be drawn") == 1
    assert "Recovery after the database was killed" in page
    assert 'id="method"' in page


def test_a_failing_partial_cannot_write_markup_through_its_error(all_phases):
    page = render(all_phases, {"failover": "{{ phase['<img src=x>'] }}"})
    assert "<img" not in page


def test_hostile_text_cannot_leave_the_place_it_stands_in(hostile_result):
    page = render(hostile_result, {"load": PARTIAL})
    assert "<img" not in page
    assert len(re.findall("<script", page)) == 3
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert data_of(page)["spans"]


def check(name, outcome=Outcome.PASSED):
    return Finding(name, outcome, f"message of {name}", None, None, Severity.CRITICAL, 5.0, "")


def with_checks(result, *findings):
    """The same campaign, in which the database phase came to these findings."""
    changed = replace(result.results[1], findings=findings)
    return replace(result, results=(result.results[0], changed, *result.results[2:]))


def groups_of(page):
    """(name, whether it is open, what its line says) of every group of checks, in the order of the page."""
    found = re.findall(
        r'<details class="checks"( open)?>\s*<summary><b>(.*?)</b>(.*?)</summary>', page, re.DOTALL
    )
    return [
        (name, bool(is_open), " ".join(re.sub("<[^>]*>", " ", said).split())) for is_open, name, said in found
    ]


def test_many_checks_are_grouped_by_how_their_names_begin_and_only_trouble_is_open(all_phases):
    fine = [check(f"isolation.{number}") for number in range(18)]
    warned, doubtful = check("cache_keys.a", Outcome.WARNED), check("pool.b", Outcome.INCONCLUSIVE)
    page = render(with_checks(all_phases, *fine, warned, check("pool.a"), doubtful))
    assert groups_of(page) == [
        ("Pool", True, "1 inconclusive 2 checks"),
        ("Cache keys", False, "1 warned 1 check"),
        ("Isolation", False, "all passed 18 checks"),
    ]
    assert page.index("Message of pool.b") < page.index("Message of pool.a")


@pytest.mark.parametrize("names", [[f"a.{n}" for n in range(30)], [f"{'ab'[n % 2]}.{n}" for n in range(20)]])
def test_few_checks_or_those_of_one_kind_are_a_flat_list(all_phases, names):
    page = render(with_checks(all_phases, *map(check, names)))
    assert groups_of(page) == []
    assert all(f"<code>{name}</code>" in page for name in names)


def test_without_load_nothing_is_said_of_its_requests(all_phases):
    bare = tuple(replace(each, evidence=Evidence()) for each in all_phases.results)
    header = render(replace(all_phases, results=bare)).partition("</header>")[0].rpartition("<header")[2]
    assert " requests" not in header


def test_a_cap_repeats_no_number(all_phases):
    score = all_phases.score
    alike = replace(score, uncapped=replace(score.uncapped, lower_bound=score.uncapped.score))
    assert render(replace(all_phases, score=alike)).count("before the cap") == 1
    assert render(all_phases).count("before the cap") == 2


def test_what_is_sent_to_databases_and_caches_has_lines_of_its_own(all_phases):
    database = all_phases.results[1]
    series = (
        Series("workload.query_rate", "1/s", (480.0, 481.0), (600.0, 590.0)),
        Series("cache.command_rate", "1/s", (490.0, 491.0), (500.0, 501.0)),
    )
    changed = replace(database, evidence=replace(database.evidence, series=series))
    data = data_of(render(replace(all_phases, results=(all_phases.results[0], changed))))
    throughput = next(each for each in data["timeline"] if each["title"] == "Throughput")
    assert [each["label"] for each in throughput["lines"]] == [
        "requests",
        "database queries",
        "cache commands",
    ]
    assert throughput["lines"][1]["values"] == [600.0, 590.0]


def test_a_checkout_that_was_never_built_says_why_there_are_no_charts(all_phases, monkeypatch):
    monkeypatch.setattr(html, "LIBRARY", ("vendor/gone.js", "vendor/gone.css"))
    page = render(all_phases)
    assert "The chart library is not in this installation" in page
    assert "script-src 'none'" in page
    assert len(re.findall("<script", page)) == 1


def test_the_charts_join_scenarios_with_a_gap_and_name_phases_and_scenarios(all_phases):
    data = data_of(render(all_phases))
    assert [each["title"] for each in data["timeline"]] == ["Response time", "Throughput", "Errors", "Users"]
    p95 = data["timeline"][0]["lines"][0]
    assert [at for at, value in zip(p95["times"], p95["values"], strict=True) if value is None] == [140.0]
    named = [(each["name"], each["level"]) for each in data["spans"]]
    assert named[:4] == [("load", 0), ("baseline", 1), ("peak", 1), ("database", 0)]


def test_series_of_an_unknown_phase_get_a_chart_of_their_own(all_phases):
    database = all_phases.results[1]
    depth = Series("queue.depth", "messages", (480.0, 481.0), (3.0, 9.0))
    changed = replace(database, evidence=replace(database.evidence, series=(depth,)))
    data = data_of(render(replace(all_phases, results=(changed,))))
    line = {"label": "queue.depth", "times": [480.0, 481.0], "values": [3.0, 9.0]}
    assert {"title": "queue.depth", "unit": "messages", "lines": [line]} == data["machines"][-1]


@pytest.mark.parametrize("spans", ["text", 7, [1, "x", {}, {"name": "a", "began": "soon", "ended": None}]])
def test_spans_of_an_unknown_shape_are_left_out(all_phases, spans):
    database = all_phases.results[1]
    changed = replace(database, evidence=Evidence(facts={"spans": spans}))
    data = data_of(render(replace(all_phases, results=(changed,))))
    assert [each["name"] for each in data["spans"]] == ["database"]
