"""Writes docs/defects.md: each defect of the demo, the checks that failed, and the seconds.

`python scripts/document_defects.py [DEFECT ...]` runs those alone and keeps the other rows.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from campaign.demo.defects import DEFECTS, Defect
from campaign.registry import installed
from campaign.resources import folder

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "defects.md"
PARTS = (
    "isolation", "crowd", "sessions", "consent", "deletion", "retention", "transport", "audio", "parties",
    "content", "quotas",
)  # fmt: skip

FOUND_BY = {
    "idor-read": "isolation",
    "idor-write": "isolation",
    "idor-search": "isolation",
    "export-leak": "isolation",
    "websocket-no-auth": "isolation",
    "mixed-up-answers": "crowd",
    "cache-key-collision": "crowd",
    "consent-not-checked": "consent",
    "consent-race": "consent",
    "delete-leaves-rows": "deletion",
    "delete-resurrects": "deletion",
    "token-after-logout": "sessions",
    "token-alg-none": "sessions",
    "session-fixation": "sessions",
    "mass-assignment": "sessions",
    "pii-in-logs": "transport",
    "sessions-without-ttl": "retention",
    "plaintext-audio-kept": "audio",
    "filter-leetspeak": "content",
    "filter-blocks-safe": "content",
    "filter-fails-open-under-load": "content",
    "no-rate-limit": "quotas",
    "global-limit-off-by-one": "quotas",
    "per-user-limit-race": "quotas",
}
"""Which part of the safety phase speaks of which defect; the run is limited to it."""

QUICK = {"load": ("--quick",), "stability": ("--stability-hours", "0.05")}
"""How a phase finds it in little time."""

HEAD = """# The demo's defects, and what finds them

Made by `python scripts/document_defects.py`: the demo with one defect at a time, and `campaign run --demo`
with the phase alone that speaks of it (of the safety phase, that part alone; the load in a quick run, the
soak in three minutes). The seconds are those of the whole command, from the start of the demo to the report.
`make defects` runs tests that hold each of them.

| defect | phase | checks that failed | seconds |
|---|---|---|---:|
"""


def main(wanted: list[str]) -> None:
    """Run the defects that are named, or all, and write the page."""
    rows = _known()
    there = installed().phases
    for name in wanted or [name for name, each in DEFECTS.items() if each.found_by in there]:
        rows[name] = _row(DEFECTS[name])
        print(rows[name], flush=True)  # noqa: T201 - it takes minutes
        PAGE.write_text(HEAD + "".join(rows[each] + "\n" for each in DEFECTS if each in rows))


def _known() -> dict[str, str]:
    if not PAGE.exists():
        return {}
    lines = PAGE.read_text().splitlines()
    return {found[1]: line for line in lines if (found := re.match(r"\| `([a-z-]+)` \|", line))}


def _row(defect: Defect) -> str:
    with tempfile.TemporaryDirectory() as home, _stores(defect) as options:
        file = Path(home, "campaign.yaml")
        file.write_text(_campaign(FOUND_BY.get(defect.name)))
        command = [
            sys.executable, "-m", "campaign", "run", str(file), "--demo", "--only", defect.found_by,
            "--defect", defect.name, "--output", home, *options, *QUICK.get(defect.found_by, ()),
        ]  # fmt: skip
        began = time.monotonic()
        subprocess.run(command, check=False, capture_output=True)
        seconds = time.monotonic() - began
        (report,) = Path(home).glob("*/report.json")
        failed = list(_failed(json.loads(report.read_text()), defect.found_by))
    by = ": ".join(filter(None, (defect.found_by, FOUND_BY.get(defect.name))))
    return f"| `{defect.name}` | {by} | {', '.join(failed) or '**not found**'} | {seconds:.0f} |"


def _campaign(part: str | None) -> str:
    """The demo's campaign file, with one part of the safety phase alone where one is named."""
    text = folder("configs").joinpath("demo.yaml").read_text(encoding="utf-8")
    if part is None:
        return text
    left_out = ", ".join(each for each in PARTS if each != part)
    text = re.sub(r"(?m)^    skip: \[.*\n", "", text)
    return text.replace("\n  safety:\n", f"\n  safety:\n    skip: [{left_out}]\n", 1)


def _failed(report: dict[str, Any], phase: str) -> Iterator[str]:
    for result in report["test_results"]:
        if result["kind"] == phase:
            yield from (f"`{each['check']}`" for each in result["findings"] if each["outcome"] == "failed")


@contextmanager
def _stores(defect: Defect) -> Iterator[list[str]]:
    """A server of our own where nobody could see the defect without one."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    import servers  # noqa: PLC0415 - the tests' own

    if defect.only_on not in ("Redis", "PostgreSQL"):
        yield []
        return
    server = servers.Redis() if defect.only_on == "Redis" else servers.Postgres()
    try:
        if defect.only_on == "Redis":
            yield ["--redis-url", server.url]
        else:
            yield ["--database-url", server.database("demo")]
    finally:
        server.end()


if __name__ == "__main__":
    main(sys.argv[1:])
