"""The machine and the software that a result was measured with, as plain data for the report."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

from campaign import __version__
from campaign.target.http import HealthReport
from campaign.target.spec import TargetSpec

NAMED = ("uvloop", "httptools", "httpx", "pydantic", "psutil", "numpy", "scipy")


def describe_environment(target: TargetSpec, report: HealthReport) -> dict[str, Any]:
    """Machine, versions and what the target's health answer said of itself."""
    return {
        "campaign": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "machine": {
            "host": platform.node(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "usable_cores": _usable_cores(),
            "memory": psutil.virtual_memory().total,
        },
        "packages": {name: found for name in NAMED if (found := _version(name))},
        "target": {"environment": target.environment, "health": report.detail, "server": report.server},
        "command": " ".join(sys.argv[:1] and [os.path.basename(sys.argv[0]), *sys.argv[1:]]),  # noqa: PTH119
    }


def _usable_cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
