"""`campaign heal`: put back what a run that died has left broken."""

from __future__ import annotations

from typing import Annotated

import typer


def heal(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is broken and what would be typed; touch nothing.")
    ] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also what was broken from another machine that shares this account."),
    ] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="It is put back by hand: close this record unseen; repeatable."),
    ] = None,
    patience: Annotated[
        float, typer.Option(min=0, max=3600, help="Seconds to go on trying where it does not work at once.")
    ] = 30.0,
) -> None:
    """Put back what a run that died has left broken, and see that it is.

    A run puts back what it breaks, also after Ctrl-C; where it is killed its guardian does within seconds.
    This is for what neither could do: an engine that hung, a machine that went down. What a run that is at
    work has broken is left to it.

    \b
    Exit codes: 0 all is put back (or nothing was broken), 2 an ID is not known,
    4 something could not be put back; what to type is said.
    """  # noqa: D301 - Click's mark for lines to keep as they are
    from campaign.cli.healing import execute, forget_all  # noqa: PLC0415
    from campaign.faults.leftovers import Zeal  # noqa: PLC0415

    if forget:
        raise typer.Exit(forget_all(forget))
    raise typer.Exit(execute(Zeal(patience=patience, elsewhere=everything, dry=dry_run)))
