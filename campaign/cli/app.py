"""All commands of `campaign`; each lives in a module of its own and loads what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from campaign import __version__
from campaign.cli.check import check
from campaign.cli.clean import clean
from campaign.cli.demo import demo
from campaign.cli.heal import heal
from campaign.cli.monitor import monitor
from campaign.cli.phases import phases
from campaign.cli.propose import propose
from campaign.cli.report import report
from campaign.cli.run import run
from campaign.cli.schema import schema
from campaign.cli.worker import worker

HELP = """Runs a whole test campaign against a staging system and answers with evidence: may we release?

\b
Start with:  campaign run --demo --quick   (a real service is started, tested and stopped)
Then:        campaign check my.yaml        (is the file right, and what would it do?)
             campaign run my.yaml          (exit 0: the gate passed)
"""

app = typer.Typer(
    name="campaign",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if wanted:
        typer.echo(f"campaign {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def version() -> None:
    """Print the version of campaign and of what it runs on."""
    import platform  # noqa: PLC0415

    typer.echo(f"campaign {__version__} on {platform.python_implementation()} {platform.python_version()}")


for command in (run, check, propose, report, clean, heal, demo, monitor, worker, phases, schema, version):
    app.command()(command)
