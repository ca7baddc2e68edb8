"""An entry held against another run or target: figures for the report, and why there may be none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campaign.records import Evidence
from campaign.stats.compare import FEWEST, Comparison, compare
from phases.benchmark.settings import SHARES
from phases.benchmark.timed import Timed, from_plain

MACHINE = (
    "The earlier run was another one: what else its machine did then is in its figures. "
    "`--against` measures two targets in turn, in one run."
)


def compared(now: Timed, other: Timed, *, metric: str, seed: int, whose: str) -> dict[str, Any]:
    """JSON data: the comparison, or `why` there is none."""
    if other.trouble or now.trouble:
        return {"why": f"{whose}: {other.trouble}" if other.trouble else now.trouble}
    if broken(other):
        return {"why": f"{whose}: {other.failed:,} of {other.asked:,} failed"}
    found = compare(now.histogram, other.histogram, share=SHARES[metric], seed=seed)
    if found is None:
        return {"why": f"one side has fewer than {FEWEST} times"}
    return {
        "why": "", "value": other.measure(metric, metric).value, "ratio": found.ratio, "low": found.low,
        "high": found.high, "longer": found.longer, "shorter": found.shorter,
        "superiority": found.superiority, "counts": list(found.counts),
    }  # fmt: skip


def comparison_of(told: Mapping[str, Any]) -> Comparison | None:
    """The comparison that such data are of, or None."""
    if told.get("why") or "ratio" not in told:
        return None
    first, second = told["counts"]
    return Comparison(
        told["ratio"], told["low"], told["high"], told["longer"], told["shorter"], told["superiority"],
        (first, second),
    )  # fmt: skip


def with_baseline(
    entry: Mapping[str, Any], baseline: Evidence, *, now: Timed, seed: int, url: str = ""
) -> dict[str, Any]:
    """The entry compared with the one of the same name in an earlier run; `elsewhere` is the URL of its
    target where that is known and is not `url`.
    """
    then = next((each for each in _entries(baseline) if _name(each) == _name(entry)), None)
    if then is None:
        return {"why": "the earlier run did not measure it"}
    if then.get("definition") != entry["definition"]:
        return {"why": "the earlier run sent something else under this name"}
    earlier = from_plain(then["target"])
    if earlier.tick != now.tick:
        return {"why": "the earlier run kept its times in other steps"}
    told = compared(now, earlier, metric=entry["metric"], seed=seed, whose="in the earlier run")
    return {**told, "elsewhere": elsewhere(baseline, url)}


def elsewhere(baseline: Evidence, url: str) -> str:
    """The URL of the earlier run's target where that is known and another one, else ""."""
    then = str(baseline.facts.get(URL, ""))
    return then if url and then.rstrip("/") != url.rstrip("/") else ""


URL = "url"
"""The fact that says which target was measured."""


def _entries(baseline: Evidence) -> list[dict[str, Any]]:
    return list(baseline.facts.get("entries", ()))


def _name(entry: Mapping[str, Any]) -> tuple[str, str]:
    return entry["kind"], entry["name"]


def broken(timed: Timed) -> bool:
    """Whether so many failed that times say little, or it failed to the end, however long it went well."""
    return timed.failed > timed.asked * MOST_FAILED or timed.in_vain >= GIVE_UP


MOST_FAILED = 0.01
"""Share of an entry's iterations that may fail; answers that say no may come faster than those asked for."""

GIVE_UP = 3
"""Failures on end after which something is taken to be gone."""
