"""`campaign worker`: this machine takes part in the load of campaigns that are run elsewhere."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    scheduler: Annotated[
        str,
        typer.Argument(metavar="SCHEDULER", help="The Dask scheduler: tcp://HOST:PORT or tls://HOST:PORT."),
    ],
    *,
    name: Annotated[str | None, typer.Option(help="Its name on the cluster. Default: its address.")] = None,
    host: Annotated[
        str | None, typer.Option(help="Listen on this address only. Default: the one that reaches SCHEDULER.")
    ] = None,
) -> None:
    """Take part in the load: run shards for `campaign run --fleet`, one at a time, until Ctrl-C.

    \b
    dask scheduler --host 10.0.0.1               on one machine of a private network
    campaign worker tcp://10.0.0.1:8786          on each machine that sends, once per core
    campaign run --fleet tcp://10.0.0.1:8786     where the campaign file is

    A scheduler and its workers run whatever they are sent, so keep them to a private network or use tls://.
    All machines need the same version of campaign and Python. Needs: pip install 'campaign[cluster]'

    \b
    Exit codes: 0 stopped or its scheduler ended, 2 wrong usage, 3 the scheduler does not answer.
    """  # noqa: D301 - Click's mark for lines to keep as they are
    import asyncio  # noqa: PLC0415

    from campaign.load.station import check_address, check_installed, serve  # noqa: PLC0415

    check_installed()
    address = check_address(scheduler, name="SCHEDULER")
    asyncio.run(serve(address, name=name, host=host, say=typer.echo))
