"""A watch on the terminal: a table that is drawn again and again, or a line now and then, and a summary."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from campaign.cli.files import campaign_file
from campaign.cli.live import PlainLines
from campaign.cli.planning import read_campaign
from campaign.cli.wishes import Key
from campaign.errors import ConfigurationError
from campaign.events import Event
from campaign.monitor.feed import Feed
from campaign.monitor.source import Reading
from campaign.records import Series
from campaign.registry import installed
from campaign.report.text import visible
from campaign.runner.api import run_loop
from campaign.runner.monitoring import watch
from campaign.units import UnitError, format_quantity, parse_duration

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""

FIRST = ("host.cpu", "host.memory", "target.cpu", "target.memory")
"""What a line tells."""

FAILED = 1


def show_watch(
    file: str | None, *, duration: str, output: Path, wishes: Mapping[Key, tuple[Any, str]]
) -> int:
    """Watch and show it; the exit code. Raises ConfigurationError, ReportError."""
    seconds = _seconds(duration)
    overrides = {key: wish for key, wish in wishes.items() if wish[0] is not None}
    campaign = read_campaign(campaign_file(file), installed(), overrides=overrides)
    console = Console()
    typer.echo(f"watching {visible(campaign.target.url)} for {format_quantity(seconds, 's')}; Ctrl-C ends it")
    shown = _Screen(console) if sys.stdout.isatty() else _Lines(console)
    with shown:
        seen = run_loop(
            watch(campaign, seconds=seconds, output=output, hear=shown.hear, listeners=(shown.tell,))
        )
    console.print(summary(seen.feed))
    if not seen.target_seen:
        typer.echo("The target's process was not found on this machine, so it was not watched.")
    typer.echo(f"every value  {seen.folder / 'series.csv'}")
    if seen.stopped:
        typer.echo(seen.stopped)
    return FAILED if seen.stopped.startswith("stopped") else 0


def _seconds(text: str) -> float:
    try:
        seconds = parse_duration(text)
    except UnitError as error:
        raise ConfigurationError(f"--duration {text}: not {error.allowed}") from error
    if not seconds > 0:
        raise ConfigurationError(f"--duration {text}: not longer than 0")
    return seconds


def summary(feed: Feed) -> Table:
    """The least, the greatest and the last value of every series."""
    table = Table(box=None, pad_edge=False)
    table.add_column("series")
    for title in ("least", "greatest", "last"):
        table.add_column(title, justify="right")
    for name in feed.names():
        if (series := feed.series(name)) is not None:
            table.add_row(name, *_figures(series))
    return table


def _figures(series: Series) -> tuple[str, str, str]:
    known = [value for value in series.values if value is not None]
    if not known:
        return "not read", "", ""
    figures = min(known), max(known), known[-1]
    least, greatest, last = (format_quantity(each, series.unit) for each in figures)
    return least, greatest, last


class _Lines:
    """One line now and then."""

    def __init__(self, console: Console) -> None:
        self._console, self._tell, self._next = console, PlainLines(console), 0.0

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(self, *error: object) -> None:
        """Nothing to close."""

    def tell(self, event: Event) -> None:
        """Print an alert, or that it is over."""
        self._tell(event)

    def hear(self, at: float, reading: Reading) -> None:
        """Print the line that is due."""
        if at >= self._next:
            self._next = at + EVERY
            told = [f"{name} {format_quantity(*reading[name])}" for name in FIRST if name in reading]
            self._console.print(f"{at:7.0f} s  {' · '.join(told)}", markup=False, soft_wrap=True)


class _Screen:
    """A table of all series, drawn with each reading."""

    def __init__(self, console: Console) -> None:
        self._console, self._tell = console, PlainLines(console)
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> None:
        """Begin to draw."""
        self._live.start()

    def __exit__(self, *error: object) -> None:
        """Take the table away."""
        self._live.stop()

    def tell(self, event: Event) -> None:
        """Print an alert above the table."""
        self._tell(event)

    def hear(self, at: float, reading: Reading) -> None:
        """Draw the table anew."""
        table = Table(box=None, pad_edge=False, title=f"{at:.0f} s", title_justify="left")
        table.add_column("series")
        table.add_column("now", justify="right")
        for name, (value, unit) in reading.items():
            table.add_row(name, format_quantity(value, unit))
        self._live.update(table, refresh=True)
