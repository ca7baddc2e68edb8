"""Talking, reading what was said, searching in it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from campaign.demo.conversations import Turn
from campaign.demo.history import Message, Page
from campaign.demo.routes.dependencies import Caller, Parts

router = APIRouter(prefix="/api", tags=["conversation"])

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


@router.post("/conversation")
async def converse(said: Said, caller: Caller, parts: Parts) -> Turn:
    """Say something to the teddy."""
    return await run_in_threadpool(
        parts.conversations.take_turn,
        caller.parent_id,
        said.child_id,
        words=said.text,
        session_id=said.session_id,
    )


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
