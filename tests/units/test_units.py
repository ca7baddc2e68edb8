"""Quantities as people write them, to numbers and back."""

import math

import pytest

from campaign.units import UnitError, format_quantity, parse_duration, parse_rate, parse_share, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("200ms", 0.2),
        ("5us", 5e-6),
        ("5µs", 5e-6),
        ("30s", 30.0),
        ("5m", 300.0),
        ("5min", 300.0),
        ("24h", 86400.0),
        ("2d", 172800.0),
        ("1h30m", 5400.0),
        ("1h 30m 5s", 5405.0),
        ("1.5s", 1.5),
        (".5s", 0.5),
        (" 2 s ", 2.0),
        ("0", 0.0),
        (0, 0.0),
    ],
)
def test_a_duration_is_read_as_seconds(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    ["5", 5, "5 mins", "-5s", "s", "", "5m-3s", "1e3s", "5S", "10/s", "1%", None, True, [], "5s x", "1,5s"],
)
def test_a_duration_without_a_known_unit_is_refused(text):
    with pytest.raises(UnitError) as caught:
        parse_duration(text)
    assert caught.value.found == text
    assert "a duration such as 200ms" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rate"), [("10/s", 10.0), ("600/min", 10.0), ("60/m", 1.0), ("7200/h", 2.0), (" .5 / s ", 0.5)]
)
def test_a_rate_is_read_per_second(text, rate):
    assert parse_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["10", 0, "0", "10/day", "10/ms", "/s", "10s", "-1/s", None, False])
def test_a_rate_without_a_known_time_is_refused(text):
    with pytest.raises(UnitError, match="a rate such as 10/s"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("text", "share"), [("1%", 0.01), ("0.5 %", 0.005), ("100%", 1.0), (0, 0.0), ("0", 0.0)]
)
def test_a_share_is_read_as_a_part_of_one(text, share):
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["1", 0.01, "-1%", "%", "1 percent", None, False])
def test_a_share_without_a_percent_sign_is_refused(text):
    with pytest.raises(UnitError, match="a share such as 1%"):
        parse_share(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512KiB", 524288),
        ("64MiB", 67108864),
        ("1GB", 10**9),
        ("7B", 7),
        ("1.5KB", 1500),
        (0, 0),
        ("2 GiB", 2**31),
    ],
)
def test_a_size_is_read_as_bytes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["64", "64mb", "64 M", "-1B", "MiB", None, True])
def test_a_size_without_a_known_unit_is_refused(text):
    with pytest.raises(UnitError, match="a size such as 512KiB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.26, "s", "260 ms"),
        (0.0000123, "s", "12.3 µs"),
        (1.234, "s", "1.23 s"),
        (119.0, "s", "119 s"),
        (300.0, "s", "5 min"),
        (86400.0, "s", "24 h"),
        (0.0, "s", "0 s"),
        (48.21, "1/s", "48.2/s"),
        (0.0004, "share", "0.04 %"),
        (1.0, "share", "100 %"),
        (61 * 2**20, "B", "61 MiB"),
        (1023, "B", "1,023 B"),
        (1240, "users", "1,240 users"),
        (0, "users", "0 users"),
        (1, "users", "1 user"),
        (1.004, "statements", "1 statement"),
        (1.04, "statements", "1.04 statements"),
        (None, "s", "not measured"),
        (math.nan, "s", "not measured"),
        (math.inf, "s", "unbounded"),
    ],
)
def test_a_number_is_written_as_people_read_it(value, unit, text):
    assert format_quantity(value, unit) == text
