"""Quantities as people write them (200ms, 10/s, 1%, 64MiB) to plain numbers and back.

Inside the project a duration is seconds, a rate is per second, a share is 0..1 and a size is bytes, all as
float. A unit is named by the strings `"s"`, `"1/s"`, `"share"`, `"B"`, or any noun for a plain count.
"""

from __future__ import annotations

import math
import re


class UnitError(ValueError):
    """A quantity that cannot be read; `found` is the text as written, `allowed` says what would be right."""

    def __init__(self, found: object, *, allowed: str) -> None:
        super().__init__(f"{found!r} is not {allowed}")
        self.found = found
        self.allowed = allowed


DURATION = "a duration such as 200ms, 30s, 5m, 24h"
RATE = "a rate such as 10/s, 600/min, 2/h"
SHARE = "a share such as 1% or 0.5%"
SIZE = "a size such as 512KiB, 64MiB, 1GB"

_NUMBER = r"\s*(\d+(?:\.\d+)?|\.\d+)\s*"
_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PER_SECOND = {"s": 1.0, "m": 1 / 60, "min": 1 / 60, "h": 1 / 3600}
_BYTES = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_DURATION_PART = re.compile(_NUMBER + r"([a-zµ]+)")
_RATE_TEXT = re.compile(_NUMBER + r"/\s*([a-z]+)\s*")
_SHARE_TEXT = re.compile(_NUMBER + r"%\s*")
_SIZE_TEXT = re.compile(_NUMBER + r"([A-Za-z]+)\s*")


def parse_duration(text: object) -> float:
    """Seconds from `200ms`, `5m` or `1h30m`; a bare 0 needs no unit. Raises UnitError."""
    if _is_zero(text):
        return 0.0
    source = str(text).strip()
    parts = _DURATION_PART.findall(source)
    known = all(unit in _SECONDS for _, unit in parts)
    if not parts or not known or _DURATION_PART.sub("", source).strip():
        raise UnitError(text, allowed=DURATION)
    return math.fsum(float(number) * _SECONDS[unit] for number, unit in parts)


def parse_rate(text: object) -> float:
    """How many per second, from `10/s` or `600/min`. Raises UnitError."""
    match = _RATE_TEXT.fullmatch(str(text))
    if match is None or match[2] not in _PER_SECOND:
        raise UnitError(text, allowed=RATE)
    return float(match[1]) * _PER_SECOND[match[2]]


def parse_share(text: object) -> float:
    """A share 0..1 from `1%`; a bare 0 needs no unit. Raises UnitError."""
    if _is_zero(text):
        return 0.0
    match = _SHARE_TEXT.fullmatch(str(text))
    if match is None:
        raise UnitError(text, allowed=SHARE)
    return float(match[1]) / 100


def parse_size(text: object) -> int:
    """Bytes from `64MiB` or `1GB`; a bare 0 needs no unit. Raises UnitError."""
    if _is_zero(text):
        return 0
    match = _SIZE_TEXT.fullmatch(str(text))
    if match is None or match[2] not in _BYTES:
        raise UnitError(text, allowed=SIZE)
    return round(float(match[1]) * _BYTES[match[2]])


def _is_zero(text: object) -> bool:
    return not isinstance(text, bool) and text in (0, "0")


def format_quantity(value: float | None, unit: str) -> str:
    """The text people read: `260 ms`, `48.2/s`, `0.04 %`, `61 MiB`, `1,240 users`, `1 user`, `not measured`
    (None).
    """
    if value is None or math.isnan(value):
        return "not measured"
    if math.isinf(value):
        return "unbounded"
    writer = {"s": _format_seconds, "1/s": _format_rate, "share": _format_share, "B": _format_bytes}.get(unit)
    return writer(value) if writer else _format_count(value, unit)


def format_points(value: float) -> str:
    """A score to one decimal, rounded down, so that 79.96 never reads as the 80 it did not reach."""
    return f"{math.floor(value * 10 + 1e-9) / 10:.1f}".removesuffix(".0")


def _format_seconds(value: float) -> str:
    magnitude = abs(value)
    if magnitude == 0:
        return "0 s"
    if magnitude < 1e-3:
        return f"{_figures(value * 1e6)} µs"
    if magnitude < 1:
        return f"{_figures(value * 1e3)} ms"
    if magnitude < 120:
        return f"{_figures(value)} s"
    if magnitude < 7200:
        return f"{_figures(value / 60)} min"
    return f"{_figures(value / 3600)} h"


def _format_rate(value: float) -> str:
    return f"{_figures(value)}/s"


def _format_share(value: float) -> str:
    return f"{_figures(value * 100)} %"


def _format_bytes(value: float) -> str:
    for name in ("GiB", "MiB", "KiB"):
        if abs(value) >= _BYTES[name]:
            return f"{_figures(value / _BYTES[name])} {name}"
    return f"{_figures(value)} B"


def _format_count(value: float, noun: str) -> str:
    """A number of things, whose noun is a plural in -s."""
    figures = _figures(value)
    return f"{figures} {noun.removesuffix('s') if figures == '1' else noun}".rstrip()


def _figures(value: float) -> str:
    """Three significant figures, thousands separated, no exponent and no trailing zeros."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
