"""`campaign check`: read a campaign file, explain every mistake, show what would be run."""

from __future__ import annotations

from typing import Annotated

import typer


def check(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|NAME]", help="A campaign file or a shipped name. Default: campaign.yaml."
        ),
    ] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Show the plan of a quick run.")] = False,
) -> None:
    """Check a campaign file and show its plan; nothing is sent. Exit 2 when it has mistakes.

    The target's name is looked up, to see whether the guard lets its address get traffic.
    """
    from campaign.cli.files import campaign_file  # noqa: PLC0415
    from campaign.cli.planning import read_campaign, show_plan  # noqa: PLC0415
    from campaign.registry import installed  # noqa: PLC0415
    from campaign.runner.api import run_loop  # noqa: PLC0415
    from campaign.runner.plan import Selection, make_plan  # noqa: PLC0415
    from campaign.runner.preflight import check_guard, urls_of  # noqa: PLC0415

    registry = installed()
    path = campaign_file(file)
    campaign = read_campaign(path, registry, overrides={})
    steps = make_plan(campaign, registry.phases, selection=Selection(quick=quick))
    run_loop(check_guard(campaign.target, also=urls_of(steps)))
    show_plan(campaign, steps, details=True)
    typer.echo(f"\n{path}: no mistakes; nothing was sent.")
