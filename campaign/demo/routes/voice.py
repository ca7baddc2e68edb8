"""Saying something into the microphone."""

from typing import Annotated

from fastapi import APIRouter, File, Form
from fastapi.concurrency import run_in_threadpool

from campaign.demo.recordings import Heard
from campaign.demo.routes.dependencies import Caller, Parts
from campaign.demo.turns import Wanted

router = APIRouter(prefix="/api", tags=["voice"])


@router.post("/voice")
async def hear(
    child_id: Annotated[str, Form()],
    audio: Annotated[bytes, File()],
    caller: Caller,
    parts: Parts,
    session_id: Annotated[str | None, Form()] = None,
) -> Heard:
    """Say something to the teddy as a recording (a WAV file), of which only the words are kept."""
    wanted = Wanted(caller.parent_id, child_id, "", session_id)
    return await run_in_threadpool(parts.recordings.hear, wanted, audio)
