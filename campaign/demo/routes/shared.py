"""Looking at a child without being its parent: guardians whom a parent invited, and operators."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from campaign.demo.routes.dependencies import Caller, Parts
from campaign.demo.shared_children import Invitation, SharedChild

router = APIRouter(prefix="/api", tags=["shared"])


@dataclass(frozen=True, slots=True)
class SharedList:
    """The children in a guardian's charge."""

    children: list[SharedChild]


class Accepted(BaseModel):
    """The invitation that a parent handed over."""

    invitation: Annotated[str, Field(min_length=1, max_length=40)]


@router.post("/children/{child_id}/guardian", status_code=201)
async def invite_guardian(child_id: str, caller: Caller, parts: Parts) -> Invitation:
    """Make an invitation for a guardian, who may look at the child."""
    return await run_in_threadpool(parts.shared.invite, caller.parent_id, child_id)


@router.post("/guardian/children")
async def accept_invitation(accepted: Accepted, caller: Caller, parts: Parts) -> SharedList:
    """Become a guardian of the child that the invitation is for."""
    return SharedList(await run_in_threadpool(parts.shared.accept, caller.parent_id, accepted.invitation))


@router.get("/guardian/children")
async def children_in_charge(caller: Caller, parts: Parts) -> SharedList:
    """The children whom the caller may look at as a guardian."""
    return SharedList(await run_in_threadpool(parts.shared.in_charge_of, caller.parent_id))


@router.get("/operator/children/{child_id}")
async def child_for_operator(child_id: str, caller: Caller, parts: Parts) -> SharedChild:
    """Any child, for operators of the service."""
    return await run_in_threadpool(parts.shared.for_operator, caller.parent_id, child_id)
