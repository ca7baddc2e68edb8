"""Export and deletion of everything stored for a family."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from campaign.demo.privacy import Export
from campaign.demo.routes.dependencies import Caller, Parts

router = APIRouter(prefix="/api/gdpr", tags=["privacy"])


class Confirmation(BaseModel):
    """The password, because deletion cannot be undone."""

    password: Annotated[str, Field(max_length=200)]


@router.post("/export", status_code=202)
async def request_export(caller: Caller, parts: Parts) -> Export:
    """Ask for a copy of everything."""
    return await run_in_threadpool(parts.privacy.request_export, caller.parent_id)


@router.get("/export/{export_id}")
async def get_export(export_id: str, caller: Caller, parts: Parts) -> Export:
    """The copy of everything, as it is now."""
    return await run_in_threadpool(parts.privacy.export, caller.parent_id, export_id)


@router.post("/delete", status_code=204)
async def delete_account(confirmation: Confirmation, caller: Caller, parts: Parts) -> None:
    """Delete the account, its children, and all that was stored for them; signs out everywhere."""
    await parts.failed_logins.take(caller.parent_id)
    ended = await run_in_threadpool(parts.accounts.delete, caller.parent_id, confirmation.password)
    await parts.sign_in.forget(ended)
