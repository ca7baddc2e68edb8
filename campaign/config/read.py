"""From a campaign file to a `Campaign`, or to all its mistakes at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from campaign.config.configuration import configuration_of
from campaign.config.document import Document
from campaign.config.explain import note_errors
from campaign.config.mistakes import CampaignFileError, Mistake, Place
from campaign.config.mistakes import Path as Keys
from campaign.config.mixing import note_mixed_networks
from campaign.config.models import MOST_NAMES, CampaignModel
from campaign.config.overrides import apply_environment, apply_options
from campaign.config.phases import KIND, PlannedPhase, read_phases
from campaign.config.plan import Campaign, MonitorSettings, NotifySettings
from campaign.config.python import Classes, as_class, given_by, measures_of, note_sendings, read_classes
from campaign.config.secrets import find_secrets, masked
from campaign.config.source import load
from campaign.config.subjects import groups_in, tags_in
from campaign.config.templates import note_templates
from campaign.errors import ConfigurationError
from campaign.phase import PhaseInfo
from campaign.target.journey import loop_names
from campaign.target.operation import compile_operation
from campaign.target.spec import TargetSpec, Vocabulary

TEXT_NAME = "campaign.yaml"
"""What a campaign file given as text is called in messages."""

LARGEST_FILE = 4 * 2**20
"""Bytes; more than that is not read at all."""


def read(
    text_or_path: str | Path,
    *,
    phases: Mapping[str, PhaseInfo],
    overrides: Mapping[Keys, tuple[Any, str]] | None = None,
    environ: Mapping[str, str] | None = None,
    source: str = TEXT_NAME,
) -> Campaign:
    """The campaign that a file (a Path) or a text describes, for the installed `phases`.

    `overrides` are command-line values: {("target", "url"): ("http://...", "--target")}. `environ` is the
    process's environment by default. `source` is what a text is called in messages. Raises CampaignFileError,
    a ConfigurationError that holds every mistake.
    """
    environ = os.environ if environ is None else environ
    folder, text, name = Path.cwd(), text_or_path, source
    if isinstance(text_or_path, Path):
        folder, name = text_or_path.absolute().parent, _shown(text_or_path)
        text = _file_text(text_or_path, name)
    document = load(str(text), name, environ=environ)
    if not document.values:
        raise CampaignFileError(document.mistakes)
    apply_environment(document, environ)
    apply_options(document, overrides or {})
    return _campaign(document, phases, folder=folder)


def _shown(path: Path) -> str:
    """The shorter of the path as given and as seen from the current folder."""
    try:
        return min(str(path), str(path.resolve().relative_to(Path.cwd())), key=len)
    except (ValueError, OSError):
        return str(path)


def _file_text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreadable(name, f"no readable file ({reason})", "the path of a campaign file") from error
    if len(raw) > LARGEST_FILE:
        raise _unreadable(
            name, f"a file of more than {LARGEST_FILE // 2**20} MiB", "large data in a file of its own"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02x}, which is no UTF-8 text"
        raise _unreadable(name, found, "a text in UTF-8", line=line) from error


def _unreadable(name: str, found: str, allowed: str, *, line: int = 0) -> CampaignFileError:
    return CampaignFileError([Mistake(Place(name, line, min(line, 1)), "", found, allowed)])


def _campaign(document: Document, infos: Mapping[str, PhaseInfo], *, folder: Path) -> Campaign:
    classes = read_classes(document.data, str(folder))
    names = _names(document.data)
    context = {
        **names,
        "folder": folder,
        "classes": classes,
        "measures": measures_of(classes),
        "environment": _of_target(document.data, "environment"),
        "database": _of_target(document.data, "database"),
    }
    model = _validated(document, context)
    phases = read_phases(document, infos, names=context)
    given = _given(document.data, classes, infos)
    note_templates(document, given=given)
    note_sendings(document, classes, operations=names["operations"])
    campaign = None
    if model is not None and not document.noted:
        campaign = _assembled(document, model, phases=phases, classes=classes, given=given)
    if campaign is None or document.noted:
        raise CampaignFileError(_without_secrets(document))
    return campaign


def _names(data: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """What other parts of the file may refer to; known by name even where the thing itself is wrong."""
    target = data.get("target")
    places = {
        "operations": data.get("operations"),
        "users": data.get("users"),
        "feeds": data.get("data"),
        "phases": data.get("phases"),
        "regions": data.get("regions"),
        "devices": data.get("devices"),
        "services": target.get("services") if isinstance(target, dict) else None,
    }
    names = {
        kind: tuple(value)[:MOST_NAMES] if isinstance(value, dict) else () for kind, value in places.items()
    }
    return {**names, "tags": tags_in(data)[:MOST_NAMES], "groups": groups_in(data)[:MOST_NAMES]}


def _of_target(data: dict[str, Any], key: str) -> str:
    """What the file says of the target: production allows less, and each database has its own SQL."""
    target = data.get("target")
    return str(target.get(key) or "") if isinstance(target, dict) else ""


def _validated(document: Document, context: dict[str, Any]) -> CampaignModel | None:
    try:
        return CampaignModel.model_validate(document.data, context=context)
    except ValidationError as error:
        note_errors(document, error.errors(include_url=False), model=CampaignModel)
        return None


def _given(data: dict[str, Any], classes: Classes, infos: Mapping[str, PhaseInfo]) -> frozenset[str] | None:
    """Names that templates may use besides feeds and saved values: Python users and phases give them."""
    phases = data.get("phases")
    labels = phases.items() if isinstance(phases, dict) else ()
    kinds = {str(each.get(KIND, label) if isinstance(each, dict) else label) for label, each in labels}
    given = given_by(classes)
    return None if given is None else given.union(*(infos[kind].gives for kind in kinds & infos.keys()))


def _assembled(
    document: Document,
    model: CampaignModel,
    *,
    phases: tuple[PlannedPhase, ...],
    classes: Classes,
    given: frozenset[str] | None,
) -> Campaign:
    target = model.target.spec()
    vocabulary = Vocabulary(
        operations={name: each.spec(name) for name, each in model.operations.items()},
        users={
            name: as_class(each.spec(name), each.python, classes, said=each.model_fields_set)
            for name, each in model.users.items()
        },
        feeds={name: each.spec(name) for name, each in model.data.items()},
        regions=model.regions,
        devices={name: each.spec() for name, each in model.devices.items()},
    )
    _note_uncompilable(document, target, vocabulary=vocabulary, given=given)
    note_mixed_networks(document, target, vocabulary=vocabulary)
    rows = [feed.values for feed in vocabulary.feeds.values()]
    secrets = find_secrets(document.data, document.variables, feeds=rows)
    return Campaign(
        name=model.name,
        target=replace(target, secrets=secrets),
        vocabulary=vocabulary,
        phases=phases,
        scoring=model.scoring.policy(),
        monitor=MonitorSettings(
            model.monitor.interval, tuple(each.rule(name) for name, each in model.monitor.alerts.items())
        ),
        notify=NotifySettings(model.notify.webhook, tuple(model.notify.on)),
        stop_on=frozenset(model.stop_on),
        secrets=secrets,
        configuration=masked(configuration_of(model, phases), secrets),
        source=document.source,
    )


def _note_uncompilable(
    document: Document, target: TargetSpec, *, vocabulary: Vocabulary, given: frozenset[str] | None
) -> None:
    """Compile every operation once, as the load engine will; what it refuses is a mistake of the file."""
    saved = (name for each in vocabulary.operations.values() for name in each.save)
    loops = (name for user in vocabulary.users.values() for name in loop_names(user.bodies))
    known = {*vocabulary.feeds, *saved, *loops}
    for name, operation in vocabulary.operations.items():
        try:
            compile_operation(operation, target, known=None if given is None else known | given)
        except ConfigurationError as error:
            document.note(("operations", name), str(error)[:300])


def _without_secrets(document: Document) -> list[Mistake]:
    secrets = find_secrets(document.data, document.variables)
    return [
        Mistake(each.place, each.key, masked(each.found, secrets), each.allowed, each.suggestion)
        for each in document.mistakes
    ]
