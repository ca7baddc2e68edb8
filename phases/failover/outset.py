"""A look at what would be broken, before the campaign begins: is it there, and could it be put back."""

from __future__ import annotations

from campaign.clock import RealClock
from campaign.errors import ConfigurationError
from campaign.faults.catalogue import can_make, make_fault
from campaign.faults.fault import FaultError
from campaign.faults.means import FaultKind, Means
from campaign.target.guard import is_production
from campaign.target.spec import TargetSpec
from phases.failover.choice import Chosen, choose, means_of
from phases.failover.settings import FailoverSettings


async def look_at_parts(target: TargetSpec, settings: FailoverSettings) -> None:
    """Return when every part that would be broken is there and could be put back; changes nothing.

    Routes are left out: they are only there while the phase runs. Raises ConfigurationError.
    """
    if is_production(target.environment):
        raise ConfigurationError(
            f"failover: nothing is broken on purpose in {target.environment}\n  allowed  --skip failover"
        )
    means = means_of(target, settings)
    looked: set[tuple[str, str]] = set()
    for chosen in choose(target, settings):
        for blow in chosen.form.blows:
            kind = blow.kinds[0]
            if (blow.role, kind) in looked or can_make(kind, means[blow.role]) == "route":
                continue
            looked.add((blow.role, kind))
            await _look(chosen, kind=kind, role=blow.role, means=means[blow.role])


async def _look(chosen: Chosen, *, kind: FaultKind, role: str, means: Means) -> None:
    try:
        fault = make_fault(kind, role=role, means=means, clock=RealClock(), strength=chosen.strength)
        await fault.look()
    except FaultError as error:
        raise ConfigurationError(f"failover, scenario {chosen.name}: {error}") from error
