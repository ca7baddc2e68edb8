"""The phases of a campaign file: which ones are meant, and their settings read by their own models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from campaign.config.document import Document
from campaign.config.explain import note_errors
from campaign.config.mistakes import closest, written
from campaign.phase import PhaseInfo
from campaign.scoring import DEFAULT_WEIGHTS
from campaign.settings import Settings, list_names

KIND = "phase"
"""The key that says which phase a label runs, where it is not the label itself."""


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """One phase of the campaign file: what it is called there, which phase it runs, with which settings."""

    label: str
    kind: str
    settings: Settings


def read_phases(
    document: Document, infos: Mapping[str, PhaseInfo], *, names: Mapping[str, Any]
) -> tuple[PlannedPhase, ...]:
    """The phases in the order of the file; `names` are those that settings may refer to.

    What is wrong is noted in the document.
    """
    phases = document.data.get("phases")
    return tuple(_planned(document, phases, infos=infos, names=names)) if isinstance(phases, dict) else ()


def _planned(
    document: Document, phases: dict[str, Any], *, infos: Mapping[str, PhaseInfo], names: Mapping[str, Any]
) -> Iterator[PlannedPhase]:
    for label, value in phases.items():
        if not isinstance(value, dict | None):
            document.note(("phases", label), written(value), allowed="a mapping of the phase's settings")
            continue
        settings = dict(value or {})
        kind = settings.pop(KIND, label)
        if kind != label and (label in infos or label in DEFAULT_WEIGHTS):
            _note_borrowed(document, label, kind=kind)
        elif isinstance(kind, str) and kind in infos:
            read = _read_settings(document, label, settings, info=infos[kind], names=names)
            if read is not None:
                yield PlannedPhase(label, kind, read)
        else:
            _note_unknown(document, label, kind=kind, infos=infos)


def _note_borrowed(document: Document, label: str, *, kind: Any) -> None:
    """A phase under another's name would take its weight, and hide that the other was not assessed."""
    found = f"the name of another phase for {written(kind)}"
    place = document.place(("phases", label), of_key=True)
    document.note(("phases", label), found, allowed="a label that is not the name of a phase", at=place)


def _note_unknown(document: Document, label: str, *, kind: Any, infos: Mapping[str, PhaseInfo]) -> None:
    named = document.data["phases"][label] or {}
    path = ("phases", label, KIND) if KIND in named else ("phases", label)
    place = document.place(path, of_key=path[-1] == label)
    if str(kind) in DEFAULT_WEIGHTS:
        found = f"phase {written(kind)}, which is not part of this release"
    else:
        found = f"phase {written(kind)}, which is not installed"
    allowed = f"installed: {list_names(infos)}"
    document.note(path, found, allowed=allowed, suggestion=closest(kind, infos), at=place)


def _read_settings(
    document: Document, label: str, settings: dict[str, Any], *, info: PhaseInfo, names: Mapping[str, Any]
) -> Settings | None:
    path = ("phases", label)
    try:
        return info.settings.model_validate(settings, context=dict(names))
    except ValidationError as error:
        note_errors(document, error.errors(include_url=False), model=info.settings, at=path)
    except Exception as error:  # noqa: BLE001 - a plug-in's own validators are foreign code
        document.note(
            path, f"settings that {info.name} could not read ({type(error).__name__}: {error})"[:200]
        )
    return None
