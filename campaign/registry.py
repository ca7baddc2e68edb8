"""Which phases there are: every entry point of the group `campaign.phases`, ours and foreign alike.

A checkout that was never installed has no entry points; there the table in its own pyproject.toml is read.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points

from campaign.phase import Phase, PhaseInfo
from campaign.resources import checkout_file

GROUP = "campaign.phases"


@dataclass(frozen=True, slots=True)
class Broken:
    """A plug-in that could not be loaded, where it comes from and why."""

    name: str
    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Registry:
    """The phases that could be loaded, by name, and the plug-ins that could not."""

    phases: dict[str, Phase]
    broken: tuple[Broken, ...]

    def infos(self) -> dict[str, PhaseInfo]:
        """What each phase says of itself, by name."""
        return {name: phase.info for name, phase in self.phases.items()}


def installed() -> Registry:
    """The phases of this environment; a broken plug-in is named, never raised."""
    phases: dict[str, Phase] = {}
    broken: list[Broken] = []
    for point in _points():
        if point.name in phases:
            why = f"another plug-in has this name, {type(phases[point.name]).__module__}"
            broken.append(Broken(point.name, point.value, why))
            continue
        try:
            phases[point.name] = _load(point)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plug-ins are foreign code
            broken.append(Broken(point.name, point.value, f"{type(error).__name__}: {error}"))
    return Registry(phases, tuple(broken))


def _load(point: EntryPoint) -> Phase:
    phase: Phase = point.load()()
    if phase.info.name != point.name:
        raise ValueError(f"the phase calls itself {phase.info.name!r}, its entry point {point.name!r}")
    return phase


def _points() -> Iterator[EntryPoint]:
    yield from entry_points(group=GROUP)
    if not _is_installed():
        yield from _declared_in_checkout()


def _is_installed() -> bool:
    try:
        distribution("campaign")
    except PackageNotFoundError:
        return False
    return True


def _declared_in_checkout() -> Iterator[EntryPoint]:
    text = checkout_file("pyproject.toml")
    table = tomllib.loads(text)["project"]["entry-points"][GROUP] if text else {}
    for name, value in table.items():
        yield EntryPoint(name=name, value=value, group=GROUP)


def partials(phases: Mapping[str, Phase]) -> dict[str, tuple[str, ...] | None]:
    """The (package, file) of the template that each phase brings for its part of the page, by name."""
    return {name: phase.info.partial for name, phase in phases.items()}
