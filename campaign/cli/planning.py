"""Reading a campaign for a command, and showing its plan."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from campaign.config.plan import Campaign
from campaign.config.read import read
from campaign.errors import ConfigurationError
from campaign.phase import Foretelling
from campaign.registry import Registry
from campaign.report.words import plural
from campaign.runner.plan import Step, total_seconds
from campaign.target.origin import split_url
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


def with_settings(campaign: Campaign, **wishes: Any) -> Campaign:
    """The campaign with these settings (`workers`, `fleet`, `against`) in every phase that knows them; None
    leaves a setting as it is.
    """
    given = {name: wish for name, wish in wishes.items() if wish is not None}
    phases = tuple(
        replace(planned, settings=planned.settings.model_copy(update=_known(given, planned.settings)))
        for planned in campaign.phases
    )
    return replace(campaign, phases=phases)


def _known(wishes: Mapping[str, Any], settings: BaseModel) -> dict[str, Any]:
    return {name: wish for name, wish in wishes.items() if name in type(settings).model_fields}


def read_against(url: str | None) -> str | None:
    """The URL of a second target, if it is one. Raises ConfigurationError."""
    if url is not None:
        try:
            split_url(url)
        except ConfigurationError as error:
            raise ConfigurationError(f"--against: {error}") from error
    return url


def check_against(steps: Iterable[Step], url: str | None) -> None:
    """Return where a phase of the plan measures a second target, or none was given. Raises
    ConfigurationError.
    """
    will_run = (step.settings for step in steps if step.left_out is None)
    if url is not None and not any("against" in type(each).model_fields for each in will_run):
        raise ConfigurationError(
            f"--against {url}: no phase of this campaign compares two targets\n"
            "  allowed  where the phase benchmark is in the campaign file and not left out"
        )


def show_plan(campaign: Campaign, steps: Iterable[Step], *, details: bool = False) -> None:
    """Print what would be run, in order, and how long it takes; `details`: what phases say of it too."""
    steps = tuple(steps)
    target = campaign.target
    typer.echo(f"{campaign.name} -> {target.url} ({target.environment})")
    vocabulary = campaign.vocabulary
    operations, kinds = len(vocabulary.operations), len(vocabulary.users)
    typer.echo(
        f"{plural(operations, 'operation')}, {plural(kinds, 'kind')} of user, "
        f"{plural(len(vocabulary.feeds), 'data feed')}; about {format_quantity(total_seconds(steps), 's')}"
    )
    if vocabulary.choice:
        typer.echo(vocabulary.choice)
    for step in steps:
        what = step.left_out.text if step.left_out else f"about {format_quantity(step.seconds, 's')}"
        typer.echo(f"  {step.label:<12} {what}")
        if details and step.left_out is None and isinstance(step.phase, Foretelling):
            for line in step.phase.foretell(step.settings, vocabulary):
                typer.echo(f"  {'':<12} {line}")
    typer.echo(f"  gate: {campaign.scoring.pass_mark:g} of 100")
