"""The last words in the terminal: the verdict, what to fix, what is unknown, where the report is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.box import HEAVY
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from campaign.records import CampaignResult, Improvement, Outcome, PhaseResult
from campaign.report import words
from campaign.report.text import sentence, shortened, visible

COLORS = {
    Outcome.PASSED: "green",
    Outcome.WARNED: "yellow",
    Outcome.FAILED: "red",
    Outcome.INCONCLUSIVE: "blue",
    Outcome.NOT_APPLICABLE: "dim",
    Outcome.INFORMATIONAL: "dim",
}

LISTED = 8
"""Findings in the terminal; the page has all."""


def summary(result: CampaignResult, report: Path | None) -> RenderableType:
    """What to print at the end, for a console of 80 columns or more; plain where the console is."""
    parts: list[RenderableType] = [Text(), *_left_broken(result), _verdict(result), Text()]
    if result.improvements:
        parts += [Padding(_findings(result), (0, 2)), Text()]
    if any(_unassessed(result)):
        parts += [Padding(_not_assessed(result), (0, 2)), Text()]
    return Group(*parts, *_ending(result, report))


def _left_broken(result: CampaignResult) -> Iterator[RenderableType]:
    """The loudest thing that we print: what is broken still, and the commands that put it back."""
    broken = words.left_broken(result)
    if not broken:
        return
    body = Text(words.NOT_RESTORED_ADVICE, overflow="fold")
    for each in broken:
        body.append(f"\n\n{words.SHAPES[Outcome.FAILED]} {visible(each.what)}", style="bold")
        body.append(f"\n  {visible(each.why)}" if each.why else "")
        for line in each.by_hand:
            body.append(f"\n  $ {visible(line)}", style="bold")
    yield Panel(
        body,
        title=f"!!! {words.NOT_RESTORED.upper()} !!!",
        box=HEAVY,
        border_style="bold red",
        padding=(1, 2),
    )
    yield Text()


def _verdict(result: CampaignResult) -> Panel:
    outcome = words.verdict(result)
    body = Text(
        f"{words.SHAPES[outcome]} {visible(result.gate.headline).upper()}", style=f"bold {COLORS[outcome]}"
    )
    if result.score.bounds.score is not None:
        body.append(f"   {words.points(result.score.bounds.score)} of 100", style="bold default")
    for line in _facts(result):
        body.append(f"\n{line}", style="default not bold")
    return Panel(
        body, title=visible(result.run.name), title_align="left", border_style=COLORS[outcome], padding=(0, 2)
    )


def _facts(result: CampaignResult) -> Iterator[str]:
    score = result.score
    if score.bounds.score is not None:
        yield (
            f"lower bound {words.points(score.bounds.lower_bound)} · "
            f"gate {words.points(result.gate.mark)} · {words.percent(score.coverage)} judged"
        )
    if caps := words.cap_sentence(score):
        yield caps
    yield visible(words.scope_sentence(score))


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, max_width=14)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_column(no_wrap=True, justify="right")
    return grid


def _findings(result: CampaignResult) -> Table:
    grid = _grid()
    shared = False
    groups = words.alike(result.improvements)
    for group in groups[:LISTED]:
        each = group[0]
        together = words.together(each, result)
        gain = '"' if shared and together > 1 else _gain(each, together)
        said = visible(sentence(each.finding.message)) + words.and_more(group)
        grid.add_row(_label(each), visible(each.phase), said, gain)
        shared = together > 1
    if len(groups) > LISTED:
        grid.add_row("", "", f"{len(groups) - LISTED} more in the report", "")
    return grid


def _label(each: Improvement) -> Text:
    outcome = each.finding.outcome
    return Text(f"{words.SHAPES[outcome]} {words.tag(each.finding)}", style=COLORS[outcome])


def _gain(each: Improvement, together: int) -> str:
    """`59 -> 86`, with a word on how many must be mended for it; the rows below say " for the same."""
    plain = words.gain(each).replace("→", "->")
    return f"{plain}\nwith all {together}" if together > 1 else plain


def _unassessed(result: CampaignResult) -> Iterator[PhaseResult]:
    yield from (each for each in result.results if each.reason)


def _not_assessed(result: CampaignResult) -> Table:
    grid = _grid()
    for phase in _unassessed(result):
        why = visible(phase.reason.text) if phase.reason else ""
        cost = "counts 0" if phase.in_plan else "not planned"
        grid.add_row(Text(f"? {phase.status.value}", style="blue"), visible(phase.phase), why, cost)
    return grid


def _ending(result: CampaignResult, report: Path | None) -> Iterator[RenderableType]:
    if report is not None:
        yield Padding(Text(f"report  {visible(str(report))}", overflow="fold"), (0, 2))
    why = next(iter(result.gate.reasons), result.gate.headline)
    yield Padding(Text(f"exit {result.gate.exit_code}: {shortened(visible(why))}"), (0, 2))
