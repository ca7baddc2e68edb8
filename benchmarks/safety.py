"""What the safety phase costs: canary search in the load path, the matrix, the content filter.

    python benchmarks/safety.py [canary] [matrix] [filter]

The search is timed alone, on answers that hold no canary, as nearly all of a sound service. The matrix (10
principals, 12 resources, 5 verbs) and the filter (1,300 texts, idle and under load) are whole runs of
`campaign run --demo --only safety` with all other parts left out; their seconds are those of the phase.
"""

from __future__ import annotations

import json
import random
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from table import Row, show

from campaign.canary import Mint

ROOT = Path(__file__).parent.parent
PARTS = (
    "isolation", "crowd", "sessions", "consent", "deletion", "retention", "transport", "audio", "parties",
    "content", "quotas",
)  # fmt: skip
SIZES = (1, 4, 16, 64)
VERBS = {"read": "get_child", "list": "list_children", "search": "find", "update": "note", "write": "say"}


def main() -> None:
    """Measure what was asked for, or all, and print it."""
    kinds = {"canary": canary, "matrix": matrix, "filter": content}
    show([row for name in sys.argv[1:] or kinds for row in kinds[name]()])


def canary() -> list[Row]:
    """The dearest size is the one that counts."""
    mint = Mint(1)
    worst = max(_search(mint, _answer(size)) / size for size in SIZES)
    micro = worst * 1e6
    return [Row("canary search, per KB of answer", "3 us", f"{micro:.2f} us", "", micro <= 3.0)]


def _answer(kilobytes: int) -> bytes:
    luck = random.Random(kilobytes)
    words = ["".join(luck.choices(string.ascii_lowercase, k=luck.randint(2, 9))) for _ in range(2_000)]
    items: list[dict[str, Any]] = []
    while len(text := json.dumps(items)) < kilobytes * 1000:
        items.append({"id": luck.randrange(10**9), "text": " ".join(luck.choices(words, k=12))})
    return text[: kilobytes * 1000].encode()


def _search(mint: Mint, data: bytes) -> float:
    """CPU seconds of one search: the best of five rounds."""
    times = 200_000 // (len(data) // 1000)
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(times):
            mint.found(data)
        best = min(best, (time.process_time() - began) / times)
    return best


def matrix() -> list[Row]:
    """Two families, a parent and four children each; twelve resources, five verbs each."""
    campaign = _demo()
    settings = campaign["phases"]["safety"]
    settings["roles"] = {
        "mother": {"start": ["enroll"], "stop": ["leave"], "credentials": ["token"]},
        "child": {"of": "mother", "count": 4, "start": ["create_child", "give_consent", "greet", "record"]},
    }
    settings["resources"] = {
        f"r{number}": {"owner": "child", "ids": ["child_id", "session_id"], **VERBS} for number in range(12)
    }
    settings["allow"] = {each: {"own": list(VERBS), "family": list(VERBS)} for each in ("mother", "child")}
    phase = _run(campaign, "isolation")
    cells = phase["evidence"]["facts"]["isolation"]["cells"]
    people = {cell[who] for cell in cells for who in ("attacker", "owner")} - {"anonymous"}
    kinds = {(cell["resource"], cell["verb"]) for cell in cells}
    seconds = phase["ended"] - phase["began"]
    whole = len(people) == 10 and len(kinds) == 60 and not any(cell["why"] for cell in cells)
    return [
        Row(
            f"the matrix of {len(people)} principals and {len(kinds)} resources x verbs",
            "60 s",
            f"{seconds:.1f} s",
            f"{len(cells)} cells, accounts made and deleted",
            seconds <= 60.0 and whole,
        )
    ]


def content() -> list[Row]:
    """The slower of the two times that all texts are asked."""
    arms = _run(_demo(), "content")["evidence"]["facts"]["content"]["arms"]
    rates = {name: arm["rate"] for name, arm in arms.items() if name in ("idle", "load")}
    slowest = min(rates.values())
    beside = ", ".join(f"{name} {rate:.0f}/s" for name, rate in rates.items())
    return [Row("the filter test", "200 items/s", f"{slowest:.0f} items/s", beside, slowest >= 200.0)]


def _demo() -> dict[str, Any]:
    """The demo's campaign file."""
    campaign: dict[str, Any] = yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text())
    for scenario in campaign["phases"]["failover"]["scenarios"].values():
        if True in scenario:  # YAML 1.1 reads the key `on` as a truth
            scenario["on"] = scenario.pop(True)
    return campaign


def _run(campaign: dict[str, Any], part: str) -> dict[str, Any]:
    """The safety phase's result, with this part alone."""
    campaign["phases"]["safety"]["skip"] = [each for each in PARTS if each != part]
    with tempfile.TemporaryDirectory() as home:
        file = Path(home, "campaign.yaml")
        file.write_text(yaml.safe_dump(campaign))
        command = ["run", str(file), "--demo", "--only", "safety", "--output", home]
        subprocess.run([sys.executable, "-m", "campaign", *command], check=False, capture_output=True)
        (report,) = Path(home).glob("*/report.json")
        phases = json.loads(report.read_text())["test_results"]
    return next(phase for phase in phases if phase["phase"] == "safety")


if __name__ == "__main__":
    main()
