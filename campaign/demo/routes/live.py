"""A conversation over a WebSocket: the first message signs in, each further one is a turn.

It is closed with 4401 when not signed in (any more), with 4404 when there is no such session and with 4429
when there is too much of something: live conversations, requests; a turn
refused for another reason (a limit, no consent) is answered with an error, and the conversation goes on.
"""

import asyncio
import json
import math
from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter, WebSocket
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError
from starlette.websockets import WebSocketDisconnect

from campaign.demo.defects import WEBSOCKET_NO_AUTH
from campaign.demo.problems import (
    InvalidError,
    NotFoundError,
    NotSignedInError,
    Problem,
    TooManyRequestsError,
)
from campaign.demo.refusals import DATABASE_REFUSALS, problem_of
from campaign.demo.routes.conversation import Words
from campaign.demo.routes.dependencies import Parts, address_of
from campaign.demo.services import Services
from campaign.demo.turns import Wanted

router = APIRouter()

SIGN_IN_WITHIN_S = 10.0
NOT_SIGNED_IN = 4401
NO_SUCH_SESSION = 4404
NO_SLOT = 4429


class Line(BaseModel):
    """What the child says."""

    text: Words


@router.websocket("/ws/{session_id}")
async def live(socket: WebSocket, session_id: str, parts: Parts) -> None:
    """Hold a conversation until the other side leaves."""
    await socket.accept()
    with parts.metrics.open_sockets.track_inprogress():
        try:
            await _talk(socket, parts, session_id=session_id)
        except NotSignedInError as problem:
            await _close(socket, problem, code=NOT_SIGNED_IN)
        except NotFoundError as problem:
            await _close(socket, problem, code=NO_SUCH_SESSION)
        except TooManyRequestsError as problem:
            await _close(socket, problem, code=NO_SLOT)
        except WebSocketDisconnect:
            return


async def _talk(socket: WebSocket, parts: Services, *, session_id: str) -> None:
    if WEBSOCKET_NO_AUTH in parts.defects:
        await _talk_to_anybody(socket, parts, session_id=session_id)
        return
    authorization = socket.headers.get("authorization") or await _first_message(socket)
    caller = await parts.sign_in.principal(authorization, address=address_of(socket))
    child_id = await run_in_threadpool(parts.history.child_of, caller.parent_id, session_id)
    slot_id = parts.slots.take(caller.parent_id, seconds=math.inf)
    try:
        await socket.send_json({"ready": True, "session_id": session_id})
        await _take_turns(socket, parts, Wanted(caller.parent_id, child_id, "", session_id), authorization)
    finally:
        parts.slots.give_back(caller.parent_id, slot_id)


async def _take_turns(socket: WebSocket, parts: Services, place: Wanted, authorization: str) -> None:
    """Answer every line as long as the other side stays and the token is good."""
    address = address_of(socket)
    while True:
        words = await _words(socket)
        try:
            caller = await parts.sign_in.principal(authorization, address=address)
            wanted = replace(place, parent_id=caller.parent_id, words=_checked(words))
            turn = await run_in_threadpool(parts.conversations.take_turn, wanted)
        except (NotSignedInError, NotFoundError):
            raise
        except (Problem, *DATABASE_REFUSALS) as error:
            await socket.send_json(problem_of(error).document())
        else:
            await socket.send_json(asdict(turn))


async def _talk_to_anybody(socket: WebSocket, parts: Services, *, session_id: str) -> None:
    """The defect `websocket-no-auth`: whose session it is comes from its id alone."""
    parent_id, child_id = await run_in_threadpool(parts.history.family_of, session_id)
    await socket.send_json({"ready": True, "session_id": session_id})
    while True:
        words = await _words(socket)
        wanted = Wanted(parent_id, child_id, _checked(words), session_id)
        turn = await run_in_threadpool(parts.conversations.take_turn, wanted)
        await socket.send_json(asdict(turn))


async def _words(socket: WebSocket) -> str:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    return message.get("text") or ""  # a binary message is no JSON either


async def _first_message(socket: WebSocket) -> str:
    try:
        async with asyncio.timeout(SIGN_IN_WITHIN_S):
            first = json.loads(await _words(socket))
    except (TimeoutError, ValueError) as error:
        raise NotSignedInError('the first message must be {"token": "..."}') from error
    token = first.get("token") if isinstance(first, dict) else None
    return f"Bearer {token}"


def _checked(message: str) -> str:
    try:
        return Line.model_validate_json(message).text
    except ValidationError as error:
        raise InvalidError('send {"text": "..."} with 1 to 2000 characters') from error


async def _close(socket: WebSocket, problem: Problem, *, code: int) -> None:
    document: dict[str, Any] = problem.document()
    await socket.send_json(document)
    await socket.close(code, reason=problem.code)
