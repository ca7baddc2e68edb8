"""Live conversations: one begins when there is a slot for it, and ends when it is told to."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from campaign.demo.defects import PER_USER_LIMIT_RACE
from campaign.demo.routes.dependencies import Caller, Parts

router = APIRouter(prefix="/api/live", tags=["live"])


@dataclass(frozen=True, slots=True)
class Call:
    """A live conversation."""

    id: str


@dataclass(frozen=True, slots=True)
class Calls:
    """How many live conversations there are now: of everybody, and of the caller."""

    live: int
    mine: int


class NewCall(BaseModel):
    """Who wants to talk."""

    child_id: str


@router.post("", status_code=201)
async def begin(call: NewCall, caller: Caller, parts: Parts) -> Call:
    """Begin a live conversation; refused with 429 where the caller, or everybody, has too many."""
    if PER_USER_LIMIT_RACE in parts.defects:
        parts.slots.require(caller.parent_id)
        await run_in_threadpool(parts.children.one, caller.parent_id, call.child_id)
        return Call(parts.slots.add(caller.parent_id))
    await run_in_threadpool(parts.children.one, caller.parent_id, call.child_id)
    return Call(parts.slots.take(caller.parent_id))


@router.delete("/{call_id}", status_code=204)
async def end(call_id: str, caller: Caller, parts: Parts) -> None:
    """End a live conversation of the caller's."""
    parts.slots.give_back(caller.parent_id, call_id)


@router.get("")
async def count(caller: Caller, parts: Parts) -> Calls:
    """How many there are now."""
    return Calls(parts.slots.live, parts.slots.of(caller.parent_id))
