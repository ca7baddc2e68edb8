"""What the campaign file says of the database phase: a section per part, each with good defaults."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from campaign.settings import Settings
from phases.database.cache.settings import CacheSettings
from phases.database.catalogue.settings import CatalogueSettings
from phases.database.durability.settings import DurabilitySettings
from phases.database.invariants.settings import InvariantsSettings
from phases.database.isolation.settings import IsolationSettings
from phases.database.mistakes import mistake
from phases.database.pool.settings import PoolSettings
from phases.database.queries.settings import QueryingSettings, QueryName, QuerySettings
from phases.database.recovery.settings import RecoverySettings
from phases.database.running.limits import offered_to, unreachable
from phases.database.service.settings import ServiceSettings
from phases.database.workload.settings import WorkloadSettings

PartName = Literal[
    "workload",
    "queries",
    "catalogue",
    "pool",
    "isolation",
    "invariants",
    "durability",
    "recovery",
    "cache",
    "service",
]
MOST_QUERIES = 200


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class DatabaseSettings(Settings):
    """The database phase: a section per part. `skip` leaves parts out."""

    skip: Annotated[tuple[PartName, ...], BeforeValidator(_listed)] = ()
    workload: WorkloadSettings = WorkloadSettings()
    queries: dict[QueryName, QuerySettings] = Field(default_factory=dict, max_length=MOST_QUERIES)
    querying: QueryingSettings = QueryingSettings()
    catalogue: CatalogueSettings = CatalogueSettings()
    pool: PoolSettings = PoolSettings()
    isolation: IsolationSettings = IsolationSettings()
    invariants: InvariantsSettings = InvariantsSettings()
    durability: DurabilitySettings = DurabilitySettings()
    recovery: RecoverySettings = RecoverySettings()
    cache: CacheSettings = CacheSettings()
    service: ServiceSettings = ServiceSettings()

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        """No query has a limit on its rate above what is offered of it."""
        if self.querying.rate is not None:
            weights = {name: each.weight for name, each in self.queries.items()}
            own = {name: each.limits for name, each in self.queries.items()}
            if why := unreachable(own, offered_to(weights, self.querying.rate)):
                raise mistake(
                    "a limit on a rate that is offered (by querying: {rate} and weight)",
                    f"queries, limits of {why}",
                )
        return self

    def quick(self) -> Self:
        """Every part in its short form."""
        changes = {name: value.quick() for name, value in self if isinstance(value, Settings)}
        shorter = self.model_copy(update=changes)
        shorter.model_fields_set.intersection_update(self.model_fields_set)  # nobody has named the others
        return shorter
