"""The parent's own profile."""

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from campaign.demo.accounts import Profile
from campaign.demo.routes.auth import Name
from campaign.demo.routes.dependencies import Caller, Parts

router = APIRouter(prefix="/api/user", tags=["user"])


class ProfileChange(BaseModel):
    """What a parent can change."""

    name: Name


@router.get("/me")
async def me(caller: Caller, parts: Parts) -> Profile:
    """The parent's own data."""
    return await run_in_threadpool(parts.accounts.profile, caller.parent_id)


@router.patch("/me")
async def rename(change: ProfileChange, caller: Caller, parts: Parts) -> Profile:
    """Change the name."""
    return await run_in_threadpool(parts.accounts.rename, caller.parent_id, change.name)
