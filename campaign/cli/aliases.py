"""The spellings of the suites that this tool replaces, so that their CI lines keep working.

They are not shown by `--help`; each stands for options that are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

ALIASES: dict[str, tuple[str, ...]] = {
    "--url": ("--target",),
    "--host": ("--target",),
    "--skip-load-tests": ("--skip-load",),
    "--skip-stress-tests": ("--skip-stress",),
    "--skip-benchmarks": ("--skip-benchmark",),
    "--skip-database-tests": ("--skip-database",),
    "--skip-failover-tests": ("--skip-failover",),
    "--skip-safety-tests": ("--skip-safety",),
    "--skip-stability-test": ("--skip", "stability"),
    "--run-stability-test": ("--stability-hours", "24"),
    "--enable-monitoring": (),
    "--ci-mode": ("--quick", "--yes"),
}
"""Old spelling -> what it stands for. Monitoring is always on, so that one stands for nothing."""

HOURS = "--stability-hours"


def canonical(arguments: Sequence[str]) -> list[str]:
    """The same arguments in today's spelling; only those of `run` are touched."""
    if not arguments or arguments[0] != "run":
        return list(arguments)
    return ["run", *_translated(arguments[1:])]


def _translated(arguments: Sequence[str]) -> Iterator[str]:
    hours_given = any(each.partition("=")[0] == HOURS for each in arguments)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name not in ALIASES:
            yield argument
        elif equals:
            yield "=".join((*ALIASES[name][:1], value))
        elif not (ALIASES[name][:1] == (HOURS,) and hours_given):
            yield from ALIASES[name]
