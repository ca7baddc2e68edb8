"""What a parent looks at: activity, counts, the dashboard, the safety audit."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from campaign.demo.activities import Activity, Kind
from campaign.demo.overview import ChildSummary, SafetyEvent, Stats
from campaign.demo.routes.dependencies import Caller, Parts

router = APIRouter(prefix="/api", tags=["family"])


@dataclass(frozen=True, slots=True)
class ActivityList:
    """A child's latest activities."""

    activities: list[Activity]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One summary per child."""

    children: list[ChildSummary]


@dataclass(frozen=True, slots=True)
class Audit:
    """What the content filter caught."""

    events: list[SafetyEvent]


class NewActivity(BaseModel):
    """Something a child did."""

    kind: Kind
    detail: Annotated[str, Field(max_length=200)] = ""


@router.get("/stats")
async def stats(caller: Caller, parts: Parts) -> Stats:
    """The family's counts."""
    return await run_in_threadpool(parts.overview.stats, caller.parent_id)


@router.get("/children/{child_id}/activity")
async def list_activity(child_id: str, caller: Caller, parts: Parts) -> ActivityList:
    """A child's latest activities."""
    return ActivityList(await run_in_threadpool(parts.activities.latest, caller.parent_id, child_id))


@router.post("/children/{child_id}/activity", status_code=201)
async def add_activity(child_id: str, activity: NewActivity, caller: Caller, parts: Parts) -> Activity:
    """Log an activity; needs consent to collection."""
    return await run_in_threadpool(
        parts.activities.add, caller.parent_id, child_id, kind=activity.kind, detail=activity.detail
    )


@router.get("/parent/dashboard")
async def dashboard(caller: Caller, parts: Parts) -> Dashboard:
    """All children at a glance."""
    return Dashboard(await run_in_threadpool(parts.overview.dashboard, caller.parent_id))


@router.get("/safety/audit")
async def audit(caller: Caller, parts: Parts) -> Audit:
    """What the content filter caught in the family's conversations, newest first."""
    return Audit(await run_in_threadpool(parts.overview.audit, caller.parent_id))
