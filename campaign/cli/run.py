"""`campaign run`: the whole campaign, from a file to an exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|NAME]",
            help="A campaign file or a shipped name. Default: campaign.yaml here, else teddy-bear.",
        ),
    ] = None,
    *,
    target: Annotated[
        str | None, typer.Option("--target", "--service-url", help="Base URL, instead of the file's.")
    ] = None,
    database_url: Annotated[str | None, typer.Option(help="SQLAlchemy URL of the target's database.")] = None,
    redis_url: Annotated[str | None, typer.Option(help="URL of the target's Redis.")] = None,
    demo: Annotated[
        bool,
        typer.Option(
            "--demo",
            help="Test the embedded demo target, started and stopped for you. Tables and keys that it puts "
            "into --database-url (PostgreSQL or SQLite) and --redis-url are removed at its end.",
        ),
    ] = False,
    defect: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="With --demo: switch a real fault on; repeatable."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="PHASE", help="Run only this phase; repeatable.")
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(metavar="PHASE", help="Leave this phase out; repeatable.")
    ] = None,
    skip_load: Annotated[bool, typer.Option("--skip-load", help="Leave the load phase out.")] = False,
    skip_stress: Annotated[bool, typer.Option("--skip-stress", help="Leave the stress phase out.")] = False,
    skip_benchmark: Annotated[
        bool, typer.Option("--skip-benchmark", help="Leave the benchmarks out.")
    ] = False,
    skip_database: Annotated[
        bool, typer.Option("--skip-database", help="Leave the database phase out.")
    ] = False,
    skip_failover: Annotated[
        bool, typer.Option("--skip-failover", help="Leave the failover phase out.")
    ] = False,
    skip_safety: Annotated[bool, typer.Option("--skip-safety", help="Leave the safety phase out.")] = False,
    stability_hours: Annotated[
        float | None, typer.Option(min=0.0, help="Run the soak, for so many hours.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="One scenario for the load phase, instead of the file's: smoke, load, stress, spike, "
            "endurance, soak or breakpoint.",
        ),
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Run only tasks with this tag; repeatable, or a,b."),
    ] = None,
    exclude_tags: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Leave tasks with this tag out; repeatable, or a,b."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer users and shorter; proves less.")] = False,
    workers: Annotated[str | None, typer.Option(metavar="N|auto", help="Load worker processes.")] = None,
    fleet: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT", help="Send the load from the workers of this Dask scheduler."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="The same seed sends the same requests. Default: a new one.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="RUN", help="An earlier report.json to compare with.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="A second target that the benchmarks measure in turn with the first."
        ),
    ] = None,
    fail_under: Annotated[
        float | None, typer.Option(min=0, max=100, help="The score that the lower bound must reach.")
    ] = None,
    stop_on: Annotated[
        str | None,
        typer.Option(
            metavar="violation|alert", help="End the campaign at the first of these; the report is written."
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Go on with the run in this folder, which was broken off; the rest of the line as it was.",
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder that gets a new folder for this run.")] = Path(
        "reports"
    ),
    metrics_port: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT", help="Tell Prometheus how it goes at http://127.0.0.1:PORT/metrics."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before disruptive phases.")] = False,
    allow_production: Annotated[
        bool, typer.Option("--allow-production", help="Run although the environment is production.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; send nothing.")] = False,
) -> None:
    """Run a campaign and say whether the target may be released.

    \b
    Exit codes: 0 the gate passed, 1 it failed, 2 the configuration is wrong or refused,
    3 could not be judged, 4 the target could not be restored, 130 interrupted (Ctrl-C;
    the report is written all the same).

    \b
    campaign run --demo --quick            a look at it all, in two minutes
    campaign run --skip-failover           in CI, with ./campaign.yaml
    campaign run my.yaml --target http://127.0.0.1:9000 --fail-under 90
    """  # noqa: D301 - Click's mark for lines to keep as they are
    from campaign.cli.running import Wish, execute  # noqa: PLC0415
    from campaign.cli.wishes import overrides_from, selection_from, tags_from  # noqa: PLC0415

    flags = {
        "load": skip_load,
        "stress": skip_stress,
        "benchmark": skip_benchmark,
        "database": skip_database,
        "failover": skip_failover,
        "safety": skip_safety,
    }
    wish = Wish(
        file=file,
        demo=demo,
        defects=tuple(defect or ()),
        selection=selection_from(only or (), skip or (), flags=flags, quick=quick),
        overrides=overrides_from(
            target=target,
            database_url=database_url,
            redis_url=redis_url,
            fail_under=fail_under,
            preset=preset,
            stop_on=stop_on,
        ),
        tags=tags_from(tags or (), exclude_tags or ()),
        stability_hours=stability_hours,
        workers=workers,
        fleet=fleet,
        baseline=baseline,
        against=against,
        yes=yes,
        dry_run=dry_run,
        seed=seed,
        resume=resume,
        output=output,
        metrics_port=metrics_port,
        allow_production=allow_production,
    )
    raise typer.Exit(execute(wish))
