"""The parent's own profile."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from campaign.demo.accounts import Profile, Tokens
from campaign.demo.problems import NotSignedInError
from campaign.demo.routes.auth import Name, Password
from campaign.demo.routes.dependencies import Caller, Parts

router = APIRouter(prefix="/api/user", tags=["user"])


class ProfileChange(BaseModel):
    """What a parent can change."""

    name: Name


class PasswordChange(BaseModel):
    """The old password, because whoever has a token alone must not lock the parent out, and the new one."""

    password: Annotated[str, Field(max_length=200)]
    new_password: Password


@router.get("/me")
async def me(caller: Caller, parts: Parts) -> Profile:
    """The parent's own data."""
    return await run_in_threadpool(parts.accounts.profile, caller.parent_id)


@router.patch("/me")
async def rename(change: ProfileChange, caller: Caller, parts: Parts) -> Profile:
    """Change the name."""
    return await run_in_threadpool(parts.accounts.rename, caller.parent_id, change.name)


@router.post("/password")
async def change_password(change: PasswordChange, caller: Caller, parts: Parts) -> Tokens:
    """Change the password; signs out everywhere, and in again here."""
    await parts.failed_logins.take(caller.parent_id)
    changed = await run_in_threadpool(
        parts.accounts.change_password, caller.parent_id, change.password, new=change.new_password
    )
    await parts.failed_logins.give_back(caller.parent_id)
    await parts.sign_in.forget(changed.revoked)
    if changed.tokens is None:
        raise NotSignedInError("sign in again")
    return changed.tokens
