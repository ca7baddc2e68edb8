"""The field types that phases write their settings with."""

import math
from contextlib import suppress
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from campaign.records import Direction, Limit, Severity
from campaign.settings import (
    Duration,
    GradedLimit,
    LimitText,
    OperationName,
    Range,
    Rate,
    Settings,
    Share,
    Size,
    UserName,
    limit_for,
    parse_limit,
    write_duration,
    write_limit,
    write_rate,
    write_share,
    write_size,
)


class Everything(Settings):
    duration: Duration = 1.0
    rate: Rate = 1.0
    share: Share = 0.0
    size: Size = 0
    range: Range = (0.0, 0.0)
    limit: LimitText | None = None
    graded: GradedLimit | None = None
    p95: Annotated[GradedLimit, limit_for("s", Direction.AT_MOST)] | None = None
    reached: Annotated[GradedLimit, limit_for("share", Direction.AT_LEAST)] | None = None
    errors: Annotated[LimitText, limit_for("errors", Direction.AT_MOST)] | None = None
    operation: OperationName = ""
    user: UserName = ""


def one_error(data, context=None):
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(data, context=context)
    (error,) = caught.value.errors()
    return error


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("duration", "90s", 90.0),
        ("duration", 0, 0.0),
        ("rate", "600/min", 10.0),
        ("share", "0.5%", 0.005),
        ("share", "100%", 1.0),
        ("size", "64MiB", 67108864),
        ("range", "1s..3s", (1.0, 3.0)),
        ("range", "2s", (2.0, 2.0)),
        ("range", 0, (0.0, 0.0)),
    ],
)
def test_a_quantity_becomes_a_plain_number(key, text, value):
    assert getattr(Everything.model_validate({key: text}), key) == pytest.approx(value)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("duration", 5),
        ("duration", 5.0),
        ("duration", "5"),
        ("duration", "5 mins"),
        ("duration", "367d"),
        ("duration", "9" * 400 + "s"),
        ("duration", True),
        ("duration", False),
        ("duration", None),
        ("duration", ["5s"]),
        ("duration", math.nan),
        ("rate", "0/s"),
        ("rate", 0),
        ("rate", 10),
        ("rate", "1" * 70 + "/s"),
        ("share", "101%"),
        ("share", 0.5),
        ("size", 64),
        ("size", "64MB.."),
        ("range", "3s..1s"),
        ("range", "1s..2s..3s"),
        ("range", "1..3"),
        ("range", [1, 3]),
    ],
)
def test_a_quantity_that_cannot_be_read_says_what_is_allowed(key, text):
    error = one_error({key: text})
    assert error["loc"] == (key,)
    assert error["ctx"]["allowed"].startswith("a ")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("200ms", Limit(0.2, 0.2, "s", Direction.AT_MOST)),
        ("80ms..150ms", Limit(0.08, 0.15, "s", Direction.AT_MOST)),
        ("0..5ms", Limit(0.0, 0.005, "s", Direction.AT_MOST)),
        ("< 1%", Limit(0.01, 0.01, "share", Direction.AT_MOST)),
        ("<=1%", Limit(0.01, 0.01, "share", Direction.AT_MOST)),
        (">= 99%", Limit(0.99, 0.99, "share", Direction.AT_LEAST)),
        ("≥ 99%", Limit(0.99, 0.99, "share", Direction.AT_LEAST)),
        ("99%..95%", Limit(0.99, 0.95, "share", Direction.AT_LEAST)),
        ("> 100/s", Limit(100.0, 100.0, "1/s", Direction.AT_LEAST)),
        ("100/s", Limit(100.0, 100.0, "1/s", Direction.AT_LEAST)),
        ("100/s..50/s", Limit(100.0, 50.0, "1/s", Direction.AT_LEAST)),
        ("< 100/s", Limit(100.0, 100.0, "1/s", Direction.AT_MOST)),
        ("48MiB..64MiB", Limit(48 * 2**20, 64 * 2**20, "B", Direction.AT_MOST)),
        ("> 2h", Limit(7200.0, 7200.0, "s", Direction.AT_LEAST)),
    ],
)
def test_the_text_of_a_limit_says_its_unit_and_its_good_side(text, limit):
    assert Everything.model_validate({"limit": text}).limit == limit


@pytest.mark.parametrize(
    "text",
    [
        "200",
        200,
        "0",
        0,
        "",
        "fast",
        "<",
        "< > 5ms",
        "5ms..1%",
        "1s..2s..3s",
        "> 5ms..9ms",
        "< 99%..95%",
        [],
        True,
        "101%",
    ],
)
def test_a_limit_that_cannot_be_read_is_refused(text):
    assert one_error({"limit": text})["loc"] == ("limit",)


@pytest.mark.parametrize(
    ("key", "text", "limit"),
    [
        ("p95", 0, Limit(0.0, 0.0, "s", Direction.AT_MOST)),
        ("p95", "< 5ms", Limit(0.005, 0.005, "s", Direction.AT_MOST)),
        ("reached", "95%", Limit(0.95, 0.95, "share", Direction.AT_LEAST)),
        ("reached", "99%..90%", Limit(0.99, 0.9, "share", Direction.AT_LEAST)),
    ],
)
def test_a_metric_knows_its_unit_and_its_good_side(key, text, limit):
    assert getattr(Everything.model_validate({key: text}), key).limit == limit


def test_a_metric_may_count_plain_things():
    assert Everything.model_validate({"errors": 3}).errors == Limit(3.0, 3.0, "errors", Direction.AT_MOST)
    assert one_error({"errors": "3ms"})["ctx"]["allowed"] == "a limit such as 10 errors"


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("p95", "5%", ("p95", "limit")),
        ("p95", "> 5ms", ("p95", "limit")),
        ("p95", "9ms..5ms", ("p95", "limit")),
        ("reached", "90%..99%", ("reached", "limit")),
        ("reached", {"limit": "< 5%"}, ("reached", "limit")),
        ("p95", {"severity": "minor"}, ("p95", "limit")),
        ("p95", {"limit": "5ms", "severity": "fatal"}, ("p95", "severity")),
        ("p95", {"limit": "5ms", "weight": 1}, ("p95", "weight")),
    ],
)
def test_a_limit_against_its_metric_is_refused(key, value, place):
    assert one_error({key: value})["loc"] == place


def test_a_limit_is_critical_unless_it_says_otherwise():
    read = Everything.model_validate({"p95": "5ms", "reached": {"limit": "9%", "severity": "minor"}})
    assert (read.p95.severity, read.reached.severity) == (Severity.CRITICAL, Severity.MINOR)


def test_settings_are_dumped_as_people_write_them_and_read_back_the_same():
    data = {
        "duration": "90s", "rate": "0.5/s", "share": "0.05%", "size": "64MiB", "range": "100ms..3s",
        "limit": "100/s..50/s", "graded": {"limit": ">= 99%", "severity": "minor"}, "p95": "80ms..150ms",
        "reached": "95%", "errors": None, "operation": "a", "user": "b",
    }  # fmt: skip
    read = Everything.model_validate(data)
    dumped = read.model_dump(mode="json")
    assert dumped == {**data, "reached": ">= 95%"}
    assert Everything.model_validate(dumped) == read


@given(st.floats(min_value=1e-6, max_value=3e7))
def test_a_written_quantity_is_read_as_the_same_number(value):
    read = Everything.model_validate({
        "duration": write_duration(value), "rate": write_rate(value), "share": write_share(value / 3e7),
    })  # fmt: skip
    assert read.duration == pytest.approx(value, rel=1e-9)
    assert read.rate == value
    assert read.share == pytest.approx(value / 3e7, rel=1e-9)


@given(st.integers(min_value=0, max_value=2**50))
def test_a_written_size_is_read_as_the_same_number(value):
    assert Everything.model_validate({"size": write_size(value)}).size == value


@given(
    st.sampled_from(["s", "1/s", "share", "B"]),
    st.integers(min_value=1, max_value=1000),
    st.integers(min_value=1, max_value=1000),
    st.sampled_from(Direction),
)
def test_a_written_limit_is_read_as_the_same_limit(unit, one, other, direction):
    ends = sorted((one, other), reverse=direction is Direction.AT_LEAST)
    target, acceptable = (end / 1000 if unit == "share" else float(end) for end in ends)
    limit = Limit(target, acceptable, unit, direction)
    read = parse_limit(write_limit(limit))
    assert (read.unit, read.direction) == (limit.unit, limit.direction)
    assert (read.target, read.acceptable) == pytest.approx((target, acceptable))


@given(st.text(max_size=90) | st.floats() | st.integers() | st.none() | st.booleans())
def test_no_text_makes_reading_a_quantity_crash(text):
    for key in Everything.model_fields:
        with suppress(ValidationError):
            Everything.model_validate({key: text})


def test_a_name_is_any_text_until_the_names_are_known():
    assert Everything(operation="anything", user="anyone").operation == "anything"


@pytest.mark.parametrize(("key", "kind"), [("operation", "an operation"), ("user", "a kind of user")])
def test_an_unknown_name_carries_the_known_ones(key, kind):
    error = one_error({key: "convers"}, context={f"{key}s": ("converse", "history")})
    assert error["ctx"] == {"kind": kind, "allowed": "converse, history", "names": ("converse", "history")}


def test_settings_neither_change_nor_take_unknown_keys():
    settings = Everything()
    with pytest.raises(ValidationError):
        settings.duration = 5.0
    assert one_error({"durations": "5s"})["type"] == "extra_forbidden"
    assert settings.quick() is settings
