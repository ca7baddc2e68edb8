"""From a campaign file to clean stores, told line by line."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from campaign.cli.files import campaign_file
from campaign.cli.planning import read_campaign
from campaign.cli.wishes import Key
from campaign.registry import installed
from campaign.runner.api import run_loop
from campaign.runner.cleaning import Broom, Cleaned, Place, clean
from campaign.runner.preflight import check_guard
from campaign.target.owner import Owner
from campaign.target.spec import TargetSpec
from campaign.units import format_quantity

NOT_CLEAN = 2


def execute(file: str | None, *, overrides: Mapping[Key, tuple[Any, str]], broom: Broom) -> int:
    """Clean the stores that the file names and return the exit code. Raises CampaignError."""
    campaign = read_campaign(campaign_file(file), installed(), overrides=dict(overrides))
    cleaned = run_loop(_guarded(campaign.target, broom))
    for each in cleaned:
        for line in _told(each, broom):
            typer.echo(line)
    troubles = [trouble for each in cleaned for trouble in each.troubles]
    for each in cleaned:
        if each.trouble:
            typer.echo(each.trouble, err=True)
    return NOT_CLEAN if troubles else 0


async def _guarded(target: TargetSpec, broom: Broom) -> tuple[Cleaned, ...]:
    await check_guard(target)
    return await clean(target, broom)


def _told(cleaned: Cleaned, broom: Broom) -> Iterator[str]:
    if cleaned.trouble:
        return
    yield from (_line(cleaned.store, place, broom) for place in cleaned.places)
    if not cleaned.places:
        yield f"{cleaned.store}: nothing of ours"


def _line(store: str, place: Place, broom: Broom) -> str:
    if place.kept:
        return f"{store}: left {place.name}: {place.kept}{_made(place.owner)}"
    did = "would drop" if broom.dry_run else "dropped"
    return f"{store}: {did} {place.name}, made by {place.owner}{_made(place.owner)}"


def _made(owner: Owner) -> str:
    """When it was made, where it says so."""
    return f" ({format_quantity(max(time.time() - owner.began, 0), 's')} ago)" if owner.began else ""
