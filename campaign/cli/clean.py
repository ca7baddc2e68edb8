"""`campaign clean`: take away what killed runs left behind in the target's database and Redis."""

from __future__ import annotations

from typing import Annotated

import typer


def clean(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|NAME]",
            help="A campaign file or a shipped name. Default: campaign.yaml here, else teddy-bear.",
        ),
    ] = None,
    *,
    database_url: Annotated[str | None, typer.Option(help="SQLAlchemy URL of the target's database.")] = None,
    redis_url: Annotated[str | None, typer.Option(help="URL of the target's Redis.")] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also what seems to be in use, or was made on another machine just now."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; drop nothing.")] = False,
) -> None:
    """Drop what killed runs left behind in the target's database and Redis.

    A run drops its own tables and keys at its end, also after Ctrl-C; only one that was killed cannot.
    Each bears a mark that says which process made it: what has no such mark is never touched, and what
    belongs to a run that still runs is left. Exit 2 where a store cannot be used.
    """
    from campaign.cli.cleaning import execute  # noqa: PLC0415
    from campaign.cli.wishes import overrides_from  # noqa: PLC0415
    from campaign.runner.cleaning import Broom  # noqa: PLC0415

    overrides = overrides_from(target=None, database_url=database_url, redis_url=redis_url, fail_under=None)
    raise typer.Exit(execute(file, overrides=overrides, broom=Broom(everything, dry_run)))
