"""Reading a campaign for a command, and showing its plan."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import typer

from campaign.config.plan import Campaign
from campaign.config.read import read
from campaign.registry import Registry
from campaign.runner.plan import Step, total_seconds
from campaign.units import format_quantity

Overrides = Mapping[tuple[str | int, ...], tuple[Any, str]]


def read_campaign(file: Traversable, registry: Registry, *, overrides: Overrides) -> Campaign:
    """The campaign in `file` with `overrides` laid over it; broken plug-ins are named on stderr."""
    for broken in registry.broken:
        typer.echo(
            f"note: the phase {broken.name!r} ({broken.source}) cannot be loaded: {broken.why}", err=True
        )
    what = file if isinstance(file, Path) else file.read_text(encoding="utf-8")
    return read(what, phases=registry.infos(), overrides=overrides, environ=os.environ, source=str(file))


def with_workers(campaign: Campaign, workers: int | str | None) -> Campaign:
    """The campaign with that many load workers in every phase that knows such a setting."""
    if workers is None:
        return campaign
    phases = tuple(
        replace(planned, settings=planned.settings.model_copy(update={"workers": workers}))
        if "workers" in type(planned.settings).model_fields
        else planned
        for planned in campaign.phases
    )
    return replace(campaign, phases=phases)


def show_plan(campaign: Campaign, steps: Iterable[Step]) -> None:
    """Print what would be run, in order, and about how long it takes."""
    steps = tuple(steps)
    target = campaign.target
    typer.echo(f"{campaign.name} -> {target.url} ({target.environment})")
    vocabulary = campaign.vocabulary
    typer.echo(
        f"{len(vocabulary.operations)} operations, {len(vocabulary.users)} kinds of user, "
        f"{len(vocabulary.feeds)} data feeds; about {format_quantity(total_seconds(steps), 's')}"
    )
    for step in steps:
        what = step.left_out.text if step.left_out else f"about {format_quantity(step.seconds, 's')}"
        typer.echo(f"  {step.label:<12} {what}")
    typer.echo(f"  gate: {campaign.scoring.pass_mark:g} of 100")
