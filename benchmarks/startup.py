"""What a user waits for: `--help`, a quick run from the command to the report, and the size of the wheel.

Run with: python benchmarks/startup.py. Medians of several runs, each a process of its own; a bare interpreter
beside it says how fast the machine is.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNS = 7
LIMITS = {"help": 0.3, "quick run": 25.0, "wheel": 1_000_000}


def seconds(command: Sequence[str], *, cwd: Path, accepted: tuple[int, ...] = (0,)) -> float:
    """How long the command takes, from start to exit."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.DEVNULL, check=False)
    assert done.returncode in accepted, f"{command} exited with {done.returncode}"
    return time.perf_counter() - began


def median(command: Sequence[str], *, cwd: Path) -> float:
    """The median of several runs after one that warms the caches."""
    seconds(command, cwd=cwd)
    return statistics.median(seconds(command, cwd=cwd) for _ in range(RUNS))


def main() -> None:
    """Measure and print, each figure beside what it must not exceed."""
    campaign = [sys.executable, "-m", "campaign"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = median([sys.executable, "-c", "pass"], cwd=folder)
        helped = median([*campaign, "--help"], cwd=folder)
        quick = seconds([*campaign, "run", "--demo", "--quick", "--only", "load"], cwd=folder)
        whole = seconds([*campaign, "run", "--demo", "--quick"], cwd=folder)
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--outdir", name, str(ROOT)],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        size = next(folder.glob("*.whl")).stat().st_size
    print(f"bare interpreter        {bare:8.3f} s")
    print(f"campaign --help         {helped:8.3f} s   (at most {LIMITS['help']} s)")
    print(f"quick run, load alone   {quick:8.1f} s   (at most {LIMITS['quick run']:.0f} s)")
    print(f"quick run, all phases   {whole:8.1f} s")
    print(f"wheel                   {size / 1000:8.0f} KB  (at most {LIMITS['wheel'] / 1000:.0f} KB)")


if __name__ == "__main__":
    main()
