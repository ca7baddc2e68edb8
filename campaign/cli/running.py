"""From what the user wished to an exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from campaign.cli.demo_log import DemoLog, demo_log
from campaign.cli.demo_parts import (
    DemoParts,
    DemoStandstill,
    breaks_the_demo_alone,
    demo_parts,
    demo_standstill,
)
from campaign.cli.demo_proxy import DemoProxy, demo_proxy
from campaign.cli.demo_target import check_database, check_defects, note_unfound, running_demo
from campaign.cli.files import campaign_file
from campaign.cli.live import display
from campaign.cli.planning import check_against, read_against, read_campaign, show_plan, with_settings
from campaign.cli.show import show_summary
from campaign.cli.wishes import Key, check_installed
from campaign.config.plan import Campaign
from campaign.config.tags import TagChoice, with_tags
from campaign.errors import ConfigurationError, RefusedError
from campaign.phase import is_disruptive
from campaign.registry import Registry, installed
from campaign.report.read import read_report
from campaign.runner.api import run_loop
from campaign.runner.campaign import Finished, Options, run_campaign
from campaign.runner.earlier import Earlier
from campaign.runner.interrupt import SIGNALS, Interrupt
from campaign.runner.plan import Selection, Step, make_plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Everything that the options of `run` said."""

    file: str | None
    demo: bool
    defects: tuple[str, ...]
    selection: Selection
    tags: TagChoice
    overrides: Mapping[Key, tuple[Any, str]]
    stability_hours: float | None
    workers: str | None
    fleet: str | None
    baseline: Path | None
    against: str | None
    yes: bool
    dry_run: bool
    seed: int | None
    resume: Path | None
    output: Path
    metrics_port: str | None
    allow_production: bool


def execute(wish: Wish) -> int:
    """Run the campaign and return its exit code. Raises CampaignError."""
    _check(wish)
    registry = installed()
    campaign = _campaign(wish, registry)
    own = _demos(wish, campaign, registry)
    if own:
        campaign = _campaign(wish, registry, own=own)
    if wish.demo:
        check_database(campaign.target.stores["database"], named="target.database")
    note_unfound(wish.defects, registry.phases, stores=campaign.target.stores)
    steps = make_plan(campaign, registry.phases, selection=wish.selection)
    check_against(steps, wish.against)
    options = _options(wish)
    if wish.dry_run:
        show_plan(campaign, steps)
        typer.echo("dry run: nothing was sent")
        return 0
    parts = [each for each in own if isinstance(each, DemoParts)]
    strange = [
        step
        for step in steps
        if not (wish.demo and breaks_the_demo_alone(step))
        and not any(each.are_all(step, campaign.target) for each in parts)
    ]
    _confirm(strange, yes=wish.yes)
    with _told(wish.metrics_port, options) as told, _target(wish, campaign, own) as there:
        finished = _run(there, registry, options=told)
    show_summary(finished.result, finished.folder / "report.html")
    return finished.result.exit_code


def _check(wish: Wish) -> None:
    if wish.defects and not wish.demo:
        raise ConfigurationError("--defect: only the demo target has faults to switch on; add --demo")
    if wish.demo and ("target", "url") in wish.overrides:
        raise ConfigurationError("--demo and --target: one campaign has one target")
    check_defects(wish.defects)


DemosOwn = tuple[DemoParts | DemoStandstill | DemoLog | DemoProxy, ...]
"""What a demo has besides its service, for the phases that will run."""


def _demos(wish: Wish, campaign: Campaign, registry: Registry) -> DemosOwn:
    """Parts of the demo for the phase that breaks them, its log and its way to third parties for the one that
    looks there; nothing where those will not run, or there is no demo.
    """
    if not wish.demo:
        return ()
    steps = make_plan(campaign, registry.phases, selection=wish.selection)
    own = (demo_parts(steps), demo_standstill(steps), demo_log(steps), demo_proxy(steps))
    return tuple(each for each in own if each is not None)


def _campaign(wish: Wish, registry: Registry, *, own: DemosOwn = ()) -> Campaign:
    hours = check_installed(wish.selection, registry.phases, stability_hours=wish.stability_hours)
    overrides = dict(wish.overrides)
    if hours is not None:
        overrides["phases", "stability", "hours"] = (hours, "--stability-hours")
    for each in own:
        overrides |= each.overrides()
    path = campaign_file("demo" if wish.demo and wish.file is None else wish.file)
    campaign = with_tags(read_campaign(path, registry, overrides=overrides), wish.tags)
    campaign = _with_demos_own(campaign) if wish.demo else campaign
    against = read_against(wish.against)
    return with_settings(campaign, workers=_workers(wish.workers), fleet=_fleet(wish.fleet), against=against)


def _workers(text: str | None) -> int | str | None:
    if text is None or text == "auto":
        return text
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise ConfigurationError(f"--workers {text}: not a number from 1 to {MOST_WORKERS}, or auto")
    return int(text)


MOST_WORKERS = 256


def _fleet(address: str | None) -> str | None:
    if address is not None:
        from campaign.load.station import check_address, check_installed  # noqa: PLC0415 - only for a fleet

        check_address(address, name="--fleet")
        check_installed()
    return address


def _confirm(steps: Iterable[Step], *, yes: bool) -> None:
    """Ask before anything is broken on purpose that is not our own. Raises RefusedError where nobody can
    answer, or says no.
    """
    breaking = [
        step.label for step in steps if not step.left_out and is_disruptive(step.phase, step.settings)
    ]
    if not breaking or yes:
        return
    what = f"{', '.join(breaking)} will break parts of the target on purpose and put them back"
    if not sys.stdin.isatty():
        raise RefusedError(f"{what}\n  allowed  with --yes, or without: --skip {breaking[0]}")
    if not typer.confirm(f"{what}. Go on?"):
        raise RefusedError("nothing was run")


def _options(wish: Wish) -> Options:
    return Options(
        selection=wish.selection,
        output=wish.output,
        seed=wish.seed,
        allow_production=wish.allow_production,
        baseline=read_report(_report_file(wish.baseline)) if wish.baseline else None,
        earlier=Earlier.read(wish.resume) if wish.resume else None,
    )


def _report_file(path: Path) -> Path:
    return path / "report.json" if path.is_dir() else path


@contextmanager
def _target(wish: Wish, campaign: Campaign, own: DemosOwn) -> Iterator[Campaign]:
    """The campaign aimed at its target; with --demo that is a demo of our own, stopped afterwards."""
    if not wish.demo:
        yield campaign
        return
    asked = {name: "" if url == DEMOS_OWN else url for name, url in campaign.target.stores.items()}
    stores = {"database_url": asked.get("database", ""), "redis_url": asked.get("redis", "")}
    with ExitStack() as stack:
        places = [stack.enter_context(each.in_place()) for each in own]
        options = [option for place in places for option in place]
        demo = stack.enter_context(running_demo(wish.defects, **stores, more=options))
        told = {**campaign.configuration, "target": {**campaign.configuration["target"], "url": demo.url}}
        behind = {name: url for name, url in (("database", demo.database), ("redis", demo.redis)) if url}
        target = replace(campaign.target, url=demo.url, stores=behind)
        yield replace(campaign, target=target, configuration=told)


DEMOS_OWN = "sqlite:///the demo's own"
"""Stands for the database of a demo that is not running yet."""


def _with_demos_own(campaign: Campaign) -> Campaign:
    """The campaign, whose target has a database in any case: the demo brings one."""
    stores = {"database": DEMOS_OWN, **campaign.target.stores}
    return replace(campaign, target=replace(campaign.target, stores=stores))


@contextmanager
def _told(port: str | None, options: Options) -> Iterator[Options]:
    """The options with a listener that tells Prometheus, where that is wanted."""
    if port is None:
        yield options
        return
    from campaign.metrics.endpoint import MetricsAddress, exposed  # noqa: PLC0415 - only for a port
    from campaign.metrics.state import CampaignMetrics  # noqa: PLC0415

    address, metrics = MetricsAddress.read(port), CampaignMetrics(options.feed)
    with exposed(address, metrics) as number:
        typer.echo(f"metrics  http://{address.host}:{number}/metrics")
        yield replace(options, listeners=(*options.listeners, metrics))


def _run(campaign: Campaign, registry: Registry, *, options: Options) -> Finished:
    with display() as listener:
        aimed = replace(options, listeners=(*options.listeners, listener))
        return run_loop(_until_written(campaign, registry, options=aimed))


async def _until_written(campaign: Campaign, registry: Registry, *, options: Options) -> Finished:
    finished = await run_campaign(campaign, registry.phases, options=options, interrupt=Interrupt())
    for number in SIGNALS:  # the verdict is written; a late Ctrl-C must not change the exit code
        signal.signal(number, signal.SIG_IGN)
    return finished
