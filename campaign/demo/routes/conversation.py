"""Talking, reading what was said, searching in it."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from campaign.demo.companion import tokens
from campaign.demo.history import Message, Page
from campaign.demo.routes.dependencies import Caller, Parts
from campaign.demo.sign_in import Principal
from campaign.demo.turns import Turn, Wanted

router = APIRouter(prefix="/api", tags=["conversation"])

SPEAKING_S = 0.02
"""Seconds that the teddy takes for a word."""

Words = Annotated[str, Field(min_length=1, max_length=2_000)]


@dataclass(frozen=True, slots=True)
class Matches:
    """The lines found, newest first."""

    results: list[Message]


class Said(BaseModel):
    """What a child says; without a session a new one begins."""

    child_id: str
    text: Words
    session_id: str | None = None


class Search(BaseModel):
    """What to look for in a child's conversations."""

    child_id: str
    query: Annotated[str, Field(min_length=1, max_length=100)]


Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=100)]


@router.post("/conversation")
async def converse(said: Said, caller: Caller, parts: Parts, key: Key = None) -> Turn:
    """Say something to the teddy. Sent again with the same Idempotency-Key, it is said once."""
    return await run_in_threadpool(parts.conversations.take_turn, _wanted(said, caller, key=key))


@router.post("/story")
async def tell_story(said: Said, caller: Caller, parts: Parts, key: Key = None) -> Turn:
    """Ask for a story, which the companion makes up; else like a conversation."""
    wanted = _wanted(said, caller, key=key)
    return await to_thread.run_sync(parts.conversations.tell_story, wanted, limiter=parts.storytellers)


def _wanted(said: Said, caller: Principal, *, key: str | None) -> Wanted:
    return Wanted(caller.parent_id, said.child_id, said.text, said.session_id, key)


@router.post("/conversation/stream")
async def converse_aloud(said: Said, caller: Caller, parts: Parts, key: Key = None) -> StreamingResponse:
    """Say something to the teddy, which answers word by word as it speaks, as server-sent events.

    Each `token` has a piece of the reply, the last event is the whole `turn`. What is refused is answered as
    everywhere, before the first word.
    """
    turn = await converse(said, caller, parts, key)
    return StreamingResponse(
        _spoken(turn), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _spoken(turn: Turn) -> AsyncIterator[str]:
    for token in tokens(turn.reply):
        yield _event("token", {"text": token})
        await asyncio.sleep(SPEAKING_S)
    yield _event("turn", asdict(turn))


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


@router.get("/session/{session_id}/history")
async def history(
    session_id: str,
    caller: Caller,
    parts: Parts,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Page:
    """A session's lines, newest first."""
    return await run_in_threadpool(
        parts.history.page, caller.parent_id, session_id, limit=limit, offset=offset
    )


@router.post("/search")
async def search(wanted: Search, caller: Caller, parts: Parts) -> Matches:
    """Lines of a child's conversations that contain some words."""
    found = await run_in_threadpool(
        parts.history.search, caller.parent_id, wanted.child_id, query=wanted.query
    )
    return Matches(found)
