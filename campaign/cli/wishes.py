"""What the options of `run` mean: keys laid over the campaign file, and which phases to run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import typer

from campaign.config.tags import TagChoice, read_tags
from campaign.errors import ConfigurationError
from campaign.runner.plan import Selection
from campaign.scoring import DEFAULT_WEIGHTS

Key = tuple[str | int, ...]


def overrides_from(
    *,
    target: str | None,
    database_url: str | None,
    redis_url: str | None,
    fail_under: float | None,
    preset: str | None = None,
    stop_on: str | None = None,
) -> dict[Key, tuple[Any, str]]:
    """The keys that options set, each with the option to name in a message."""
    wishes: dict[Key, tuple[Any, str]] = {
        ("target", "url"): (target, "--target"),
        ("target", "database"): (database_url, "--database-url"),
        ("target", "redis"): (redis_url, "--redis-url"),
        ("scoring", "pass"): (fail_under, "--fail-under"),
        ("stop_on",): (stop_on, "--stop-on"),
        ("phases", "load", "scenarios"): (preset and {preset: {"preset": preset}}, "--preset"),
    }
    return {key: wish for key, wish in wishes.items() if wish[0] is not None}


def selection_from(
    only: Collection[str], skip: Collection[str], *, flags: Mapping[str, bool], quick: bool
) -> Selection:
    """Which phases to run; `flags` are the plain `--skip-<phase>` forms."""
    skipped = {*skip, *(name for name, wanted in flags.items() if wanted)}
    return Selection(frozenset(only), frozenset(skipped), quick=quick)


def tags_from(tags: Collection[str], exclude: Collection[str]) -> TagChoice:
    """Which tasks to run."""
    return TagChoice(read_tags(tags), read_tags(exclude))


def check_installed(
    selection: Selection, installed: Collection[str], *, stability_hours: float | None
) -> float | None:
    """The hours of soak to run; says what a flag for a phase that is not installed comes to.

    Leaving out what is not there changes nothing; asking for it cannot be met. Raises ConfigurationError.
    """
    for name in sorted(STANDARD & selection.skip - set(installed)):
        typer.echo(f"note: the phase {name!r} is not installed, so there is nothing to skip", err=True)
    if stability_hours is None or "stability" in selection.skip:
        return None
    if "stability" not in installed:
        raise ConfigurationError(
            "--stability-hours: the phase 'stability' is not installed\n"
            f"  installed  {', '.join(sorted(installed))}"
        )
    return stability_hours


STANDARD = frozenset(DEFAULT_WEIGHTS)
"""The phases that have a `--skip-<phase>` of their own, whether or not they are installed."""
