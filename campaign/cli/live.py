"""Progress while a campaign runs: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from campaign.cli.console import Output
from campaign.events import (
    Alerted,
    CampaignBegan,
    Event,
    Listener,
    Notice,
    PhaseBegan,
    PhaseEnded,
    PhaseProgressed,
    PlannedPhase,
)
from campaign.phase import Progress
from campaign.records import Outcome, PhaseResult, Status
from campaign.report.text import visible
from campaign.units import format_quantity

REFRESHES_PER_SECOND = 4


@contextmanager
def display() -> Iterator[Listener]:
    """Within this block events given to the listener are shown as they come."""
    console = Output(highlight=False)
    if not console.is_terminal:
        yield PlainLines(console)
        return
    table = LiveTable(console)
    with Live(console=console, get_renderable=table.render, refresh_per_second=REFRESHES_PER_SECOND):
        yield table


class PlainLines:
    """One line when the campaign begins, and one at the beginning and end of each phase: for a CI log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: Event) -> None:
        """Print what is worth a line."""
        if (line := _plain(event)) is not None:
            self._console.print(line, markup=False, soft_wrap=True)


def _plain(event: Event) -> str | None:
    if isinstance(event, CampaignBegan):
        return _headline(event)
    if isinstance(event, PhaseBegan):
        return f"  {event.label}: begins, about {format_quantity(event.seconds, 's')}"
    if isinstance(event, PhaseEnded):
        return f"  {event.result.phase}: {_ending(event.result, event.score)}"
    if isinstance(event, Alerted):
        return f"  {event.kind.upper()} in {event.label}: {visible(event.text)}"
    return f"  {visible(event.text)}" if isinstance(event, Notice) else None


def _headline(event: CampaignBegan) -> str:
    names = [each.label for each in event.plan if each.left_out is None]
    seconds = sum(each.seconds for each in event.plan)
    return (
        f"{visible(event.name)} -> {visible(event.target)} ({visible(event.environment)})\n"
        f"plan: {', '.join(names) or 'nothing'} · about {format_quantity(seconds, 's')} · seed {event.seed}"
    )


def _ending(result: PhaseResult, score: float | None) -> str:
    if result.reason is not None:
        return f"{result.status.value}: {visible(result.reason.text)}"
    counts = {outcome: sum(each.outcome is outcome for each in result.findings) for outcome in SHOWN}
    told = " · ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
    return f"{'not measured' if score is None else f'{score:.0f} of 100'} · {told or 'no findings'}"


SHOWN = (Outcome.PASSED, Outcome.WARNED, Outcome.FAILED, Outcome.INCONCLUSIVE)


@dataclass(slots=True)
class _Row:
    """One phase in the table: what is planned, when it began, how far it is, what it came to."""

    planned: PlannedPhase
    began: float | None = None
    progress: Progress = field(default_factory=lambda: Progress(None, "begins"))
    result: PhaseResult | None = None
    score: float | None = None
    took: float = 0.0


class LiveTable:
    """The campaign as a table that is drawn again and again; events only change what it knows."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._headline = ""
        self._rows: dict[str, _Row] = {}

    def __call__(self, event: Event) -> None:
        """Take in what happened."""
        if isinstance(event, CampaignBegan):
            self._headline = _headline(event)
            self._rows = {each.label: _Row(each) for each in event.plan}
        elif isinstance(event, PhaseBegan):
            self._rows[event.label].began = time.monotonic()
        elif isinstance(event, PhaseProgressed):
            self._rows[event.label].progress = event.progress
        elif isinstance(event, PhaseEnded):
            self._end(event)
        elif isinstance(event, Alerted):
            told = f"{event.kind.upper()} in {event.label}: {visible(event.text)}"
            self._console.print(told, style="bold red", markup=False)
        elif isinstance(event, Notice):
            self._console.print(visible(event.text), markup=False)

    def _end(self, event: PhaseEnded) -> None:
        row = self._rows[event.result.phase]
        row.result, row.score = event.result, event.score
        row.took = 0.0 if row.began is None else time.monotonic() - row.began

    def render(self) -> RenderableType:
        """What the terminal shows now."""
        grid = Table.grid(padding=(0, 1), expand=False)
        for width in (1, 11, 7, 20, 4):
            grid.add_column(width=width, min_width=width, no_wrap=True)
        grid.add_column()
        for row in self._rows.values():
            grid.add_row(*_cells(row))
        hint = Text("Ctrl-C ends the phase and still writes the report", style="dim")
        running = any(row.began is not None and row.result is None for row in self._rows.values())
        return Group(Text(self._headline), Text(), grid, *([Text(), hint] if running else []))


def _cells(row: _Row) -> tuple[RenderableType, ...]:
    name = visible(row.planned.label)
    if row.result is not None:
        return _ended_cells(row, row.result, name)
    if row.began is None:
        left = row.planned.left_out
        return ("", Text(name, style="dim"), "", "", "", Text(left.text if left else "waiting", style="dim"))
    took = time.monotonic() - row.began
    bar = ProgressBar(total=1.0, completed=row.progress.share or 0.0, width=20)
    return (Text("▸", style="bold"), name, _time(took), bar, "", _live(row, took))


def _ended_cells(row: _Row, result: PhaseResult, name: str) -> tuple[RenderableType, ...]:
    failed = any(each.outcome is Outcome.FAILED for each in result.findings)
    judged = result.status is Status.COMPLETED and row.score is not None
    mark, style = ("✗", "red") if failed else ("✓", "green") if judged else ("?", "blue")
    points = "" if row.score is None else f"{row.score:.0f}"
    bar = ProgressBar(
        total=100.0, completed=row.score or 0.0, width=20, complete_style=style, finished_style=style
    )
    return (Text(mark, style=style), name, _time(row.took), bar, points, _ending(result, row.score))


def _live(row: _Row, took: float) -> str:
    figures = row.progress.figures
    left = max(0.0, row.planned.seconds - took)
    told = [row.progress.message, f"{_time(left)} left"]
    if "rate" in figures:
        told.append(format_quantity(figures["rate"], "1/s"))
    if "p95" in figures:
        told.append(f"p95 {format_quantity(figures['p95'], 's')}")
    if "error_rate" in figures:
        told.append(f"{format_quantity(figures['error_rate'], 'share')} errors")
    return visible(" · ".join(told))


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s"
