"""Talking, reading what was said, searching in it."""

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
from campaign.demo.defects import CACHE_KEY_COLLISION
from campaign.demo.history import Message, Page
from campaign.demo.routes.dependencies import Caller, Parts
from campaign.demo.services import Services
from campaign.demo.sign_in import Principal
from campaign.demo.turns import Turn, Wanted
from campaign.demo.voices import Voices

router = APIRouter(prefix="/api", tags=["conversation"])

LAST = "event: turn"
"""How the last piece of what is spoken begins."""

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
    spoken = _spoken(turn, said.text, parts.voices)
    return StreamingResponse(spoken, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _spoken(turn: Turn, heard: str, voices: Voices) -> AsyncIterator[str]:
    """The words one by one, and at the end the turn with what was heard."""
    pieces = [_event("token", {"text": token}) for token in tokens(turn.reply)]
    last = _event("turn", {**asdict(turn), "heard": heard})
    async with voices.speaking([*pieces, last]) as voice:
        while piece := await voice.next():
            yield piece
            if piece.startswith(LAST):
                return


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
    if CACHE_KEY_COLLISION in parts.defects:
        return await _search_cached(wanted, caller, parts)
    return await _search(wanted, caller, parts)


async def _search(wanted: Search, caller: Principal, parts: Services) -> Matches:
    found = await run_in_threadpool(
        parts.history.search, caller.parent_id, wanted.child_id, query=wanted.query
    )
    return Matches(found)


async def _search_cached(wanted: Search, caller: Principal, parts: Services) -> Matches:
    """The defect `cache-key-collision`: whose child it is does not belong to the key."""
    key = f"search:{wanted.query.strip().lower()}"
    if (kept := await parts.state.recall(key)) is not None:
        return Matches([Message(**each) for each in json.loads(kept)])
    matches = await _search(wanted, caller, parts)
    await parts.state.keep(key, json.dumps([asdict(each) for each in matches.results]))
    return matches
