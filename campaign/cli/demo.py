"""`campaign demo`: serve the embedded demo target, a small real service, with real faults on request."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than loopback expose it.")
    ] = "127.0.0.1",
    defect: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Switch a real fault on; may be repeated.")
    ] = None,
    list_defects: Annotated[bool, typer.Option("--list-defects", help="List the faults and stop.")] = False,
    database_url: Annotated[
        str,
        typer.Option(help="URL of a PostgreSQL or SQLite; default: SQLite in a temporary folder."),
    ] = "",
    redis_url: Annotated[str, typer.Option(help="Redis URL; default: state in the process.")] = "",
) -> None:
    """Serve the demo target: a child companion with accounts, consent, conversations and a content filter.

    It is what `campaign run --demo` tests, and an example of a small service. Passwords are hashed
    cheaply here. Stop it with Ctrl-C; its temporary database goes with it. What it puts into a database
    or a Redis of yours stays there for its next start, which mends what an earlier --defect has left.
    """
    from campaign.cli.demo_target import (  # noqa: PLC0415
        check_database,
        check_defects,
        serve_here,
        show_defects,
    )

    if list_defects:
        show_defects()
        return
    check_defects(defect or [])
    if database_url:
        check_database(database_url)
    serve_here(host, port, defects=defect or [], database_url=database_url, redis_url=redis_url)
