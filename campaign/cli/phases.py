"""`campaign phases`: which phases are installed, and which could not be loaded."""

from __future__ import annotations

import typer


def phases() -> None:
    """List the installed phases: what each does and what it needs from the campaign file."""
    from campaign.registry import installed  # noqa: PLC0415

    registry = installed()
    for name, phase in registry.phases.items():
        info = phase.info
        typer.echo(f"{name:<12} {info.summary}")
        breaks = "; breaks things on purpose, asks first" if info.disruptive else ""
        typer.echo(f"{'':<12} needs: {', '.join(info.requires)}{breaks}")
    for broken in registry.broken:
        typer.echo(f"{broken.name:<12} cannot be loaded from {broken.source}: {broken.why}")
