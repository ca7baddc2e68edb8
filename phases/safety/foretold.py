"""What would be tried, for `campaign check`: the access matrix, what is not mapped, routes nobody asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from campaign.openapi.document import read_file, uncovered
from campaign.target.spec import Vocabulary
from phases.safety.cast.settings import ANONYMOUS, Allowed, Verb
from phases.safety.isolation.matrix import ORDER
from phases.safety.parts import asked
from phases.safety.settings import SafetySettings

MOST_ROUTES = 40


def lines(settings: SafetySettings, vocabulary: Vocabulary) -> Iterator[str]:
    """Lines for a reader of the plan. Raises ConfigurationError where the OpenAPI document cannot be read."""
    yield from _matrix(settings)
    for part in asked(settings):
        if not part.wanted(settings):
            yield f"not tested: {part.name} (the file maps nothing to it)"
    if settings.openapi:
        yield from _routes(settings, vocabulary)


def _matrix(settings: SafetySettings) -> Iterator[str]:
    """A line per resource: what is tried on it by everybody, and who may do what."""
    roles = [*settings.roles, ANONYMOUS]
    for name, resource in settings.resources.items():
        verbs = [verb for verb in ORDER if resource.operation(verb)]
        yield f"{name} of each {resource.owner}: {', '.join(verbs)}, tried by {', '.join(roles)}"
        for role in roles:
            if said := _allowed(settings.allow.get(role, Allowed()), verbs):
                yield f"  allowed to {role}: {said}"


def _allowed(allowed: Allowed, verbs: list[Verb]) -> str:
    groups = {"own": allowed.own, "of the family": allowed.family, "all": allowed.all}
    told = {group: [verb for verb in verbs if verb in names] for group, names in groups.items()}
    return "; ".join(f"{', '.join(names)} ({group})" for group, names in told.items() if names)


def _routes(settings: SafetySettings, vocabulary: Vocabulary) -> Iterator[str]:
    routes = read_file(Path(settings.openapi))
    left = uncovered(routes, vocabulary.operations.values())
    yield f"{len(routes) - len(left)} of {len(routes)} routes of {settings.openapi} are asked by an operation"
    yield from (f"  no operation asks {route}" for route in left[:MOST_ROUTES])
    if len(left) > MOST_ROUTES:
        yield f"  and {len(left) - MOST_ROUTES} more"
