"""The parts of the phase, in the order in which they run: what breaks something comes last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phases.database.cache.part import CachePart
from phases.database.catalogue.part import CataloguePart
from phases.database.durability.part import DurabilityPart
from phases.database.invariants.part import InvariantsPart
from phases.database.isolation.part import IsolationPart
from phases.database.pool.part import PoolPart
from phases.database.queries.part import QueriesPart
from phases.database.recovery.part import RecoveryPart
from phases.database.scene import Part
from phases.database.service.part import ServicePart
from phases.database.workload.part import WorkloadPart

if TYPE_CHECKING:
    from phases.database.settings import DatabaseSettings


def all_parts() -> tuple[Part, ...]:
    """Every part there is."""
    return (
        DurabilityPart(),
        CataloguePart(),
        WorkloadPart(),
        QueriesPart(),
        PoolPart(),
        IsolationPart(),
        InvariantsPart(),
        ServicePart(),
        CachePart(),
        RecoveryPart(),
    )


def asked(settings: DatabaseSettings) -> Iterator[Part]:
    """The parts that the campaign file asks for."""
    return (part for part in all_parts() if part.name not in settings.skip and part.wanted(settings))
