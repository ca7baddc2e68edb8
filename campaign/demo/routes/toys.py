"""Toys: paired by a parent, and what a toy itself may do, which is to know its child and to talk."""

from typing import Annotated

from fastapi import APIRouter, Depends, Security
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from starlette.requests import HTTPConnection

from campaign.demo.children import Child
from campaign.demo.routes.conversation import Words
from campaign.demo.routes.dependencies import Caller, Parts, SignedIn, limited_stranger, services_of
from campaign.demo.sign_in import SCHEME
from campaign.demo.toys import Toy, ToyToken
from campaign.demo.turns import Turn, Wanted

router = APIRouter(prefix="/api", tags=["toys"])

DAY_S = 24 * 3_600


class Pairing(BaseModel):
    """How long the toy's token is good for, in seconds."""

    good_for_s: Annotated[int, Field(ge=1, le=30 * DAY_S)] = DAY_S


class SaidToToy(BaseModel):
    """What the child says; without a session a new one begins."""

    text: Words
    session_id: str | None = None


class ToySignedIn(SignedIn):
    """A dependency that yields the toy which asks."""

    async def __call__(self, connection: HTTPConnection) -> Toy:  # type: ignore[override]
        """Which toy is asking; raises NotSignedInError."""
        services = await services_of(connection)
        authorization = connection.headers.get("authorization", "")
        token = authorization[len(SCHEME) :].strip() if authorization.lower().startswith(SCHEME) else ""
        return await run_in_threadpool(services.toys.toy, token)


AskingToy = Annotated[Toy, Security(ToySignedIn())]


@router.post("/children/{child_id}/toy", status_code=201)
async def pair(child_id: str, pairing: Pairing, caller: Caller, parts: Parts) -> ToyToken:
    """Pair a toy with a child."""
    return await run_in_threadpool(parts.toys.pair, caller.parent_id, child_id, good_for_s=pairing.good_for_s)


@router.delete("/children/{child_id}/toy", status_code=204)
async def unpair(child_id: str, caller: Caller, parts: Parts) -> None:
    """End the tokens of a child's toys."""
    await run_in_threadpool(parts.toys.unpair, caller.parent_id, child_id)


@router.get("/toy", dependencies=[Depends(limited_stranger)])
async def know(toy: AskingToy, parts: Parts) -> Child:
    """The child of the toy that asks."""
    return await run_in_threadpool(parts.toys.child, toy)


@router.post("/toy/conversation", dependencies=[Depends(limited_stranger)])
async def talk(said: SaidToToy, toy: AskingToy, parts: Parts) -> Turn:
    """Say something to the toy; needs consent, as everywhere."""
    wanted = Wanted(toy.parent_id, toy.child_id, said.text, said.session_id, None)
    return await run_in_threadpool(parts.conversations.take_turn, wanted)
