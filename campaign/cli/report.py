"""`campaign report`: the reports of an earlier run again, from its report.json alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A report.json, or the folder of a run.")],
    *,
    rejudge: Annotated[
        bool, typer.Option("--rejudge", help="Judge the evidence again; exit with the verdict's code.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the reports. Default: that of the run.")
    ] = None,
) -> None:
    """Write the reports of an earlier run again, and show its verdict.

    With --rejudge the score is computed again from the evidence in report.json, with today's rules.
    """
    from campaign.cli.show import show_summary  # noqa: PLC0415
    from campaign.errors import ReportError  # noqa: PLC0415
    from campaign.registry import installed, partials  # noqa: PLC0415
    from campaign.report.read import read_report  # noqa: PLC0415
    from campaign.report.write import write_all  # noqa: PLC0415
    from campaign.runner.verdict import rejudge as judge_again  # noqa: PLC0415

    source = run / "report.json" if run.is_dir() else run
    phases = installed().phases
    result = read_report(source)
    try:
        result = judge_again(result, phases) if rejudge else result
        page = write_all(result, output or source.parent, partials=partials(phases))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ReportError(f"{source}: is not a whole report of ours ({error})") from error
    show_summary(result, page)
    raise typer.Exit(result.exit_code if rejudge else 0)
