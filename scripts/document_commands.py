"""Writes docs/commands.md from what `--help` says, so that the two cannot differ (a test compares them)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMMANDS = (
    "run", "check", "propose", "monitor", "report", "clean", "heal", "demo", "worker", "phases", "schema",
    "version",
)  # fmt: skip
PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
HEAD = """# Commands

Made from `campaign COMMAND --help` by `python scripts/document_commands.py`.

The spellings of the suites that this tool replaces still work with `campaign run`: `--url` and `--host` (for
`--target`), `--skip-load-tests`, `--skip-stress-tests`, `--skip-benchmarks`, `--skip-database-tests`,
`--skip-failover-tests`, `--skip-safety-tests`, `--skip-stability-test`, `--run-stability-test` (24 hours),
`--ci-mode` (`--quick --yes`), and `--enable-monitoring`, which stands for nothing as monitoring is always on.
"""


def page() -> str:
    """The whole of docs/commands.md."""
    parts = [HEAD, *(f"## campaign {name}\n\n```text\n{help_of(name)}\n```\n" for name in COMMANDS)]
    return "\n".join(parts)


def help_of(command: str) -> str:
    """What `campaign COMMAND --help` prints, 100 columns wide."""
    arguments = [sys.executable, "-m", "campaign", command, "--help"]
    environ = {
        "COLUMNS": "100",
        "TERMINAL_WIDTH": "100",
        "NO_COLOR": "1",
        "PYTHONPATH": ":".join(filter(None, sys.path)),
    }
    done = subprocess.run(arguments, env=environ, capture_output=True, text=True, check=True)
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
