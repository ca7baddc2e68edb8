"""`campaign monitor`: watch the machine, the target's process and ourselves, without any phase."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def monitor(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|NAME]", help="A campaign file or a shipped name. Default: campaign.yaml."
        ),
    ] = None,
    *,
    duration: Annotated[str, typer.Option(help="How long, such as 30s, 10m or 24h.")] = "10m",
    interval: Annotated[
        str | None, typer.Option(help="Between two looks, from 100ms; default: `monitor.interval`.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="URL", help="Watch the process that listens there instead.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder that gets a new folder for this watch.")] = Path(
        "reports"
    ),
) -> None:
    """Watch the machine, the target's process and the alerts of a campaign file; nothing is sent.

    Ends by itself, with Ctrl-C, or at an alert that says so (exit 1). Every value lies in series.csv then.

    campaign monitor my.yaml --duration 1h --interval 5s
    """
    from campaign.cli.watching import show_watch  # noqa: PLC0415
    from campaign.cli.wishes import Key  # noqa: PLC0415

    wishes: dict[Key, tuple[Any, str]] = {
        ("target", "url"): (target, "--target"),
        ("monitor", "interval"): (interval, "--interval"),
    }
    raise typer.Exit(show_watch(file, duration=duration, output=output, wishes=wishes))
