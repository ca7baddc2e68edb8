"""Signing up, in and out."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from campaign.demo.accounts import Tokens
from campaign.demo.defects import SESSION_FIXATION, TOKEN_AFTER_LOGOUT
from campaign.demo.problems import NotSignedInError
from campaign.demo.routes.dependencies import SESSION_COOKIE, Caller, Parts, limited_stranger
from campaign.demo.tokens import new_token

router = APIRouter(prefix="/api/auth", tags=["auth"])

Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Password = Annotated[str, Field(min_length=8, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Session = Annotated[str | None, Cookie(alias=SESSION_COOKIE, min_length=1, max_length=200)]


class NewParent(BaseModel):
    """A parent who signs up."""

    email: Email
    password: Password
    name: Name


class Credentials(BaseModel):
    """A parent who signs in."""

    email: Email
    password: Annotated[str, Field(max_length=200)]
    good_for_s: Annotated[int, Field(ge=1)] | None = None
    """Seconds; less than usual, on a machine that others use too."""


class Welcome(BaseModel):
    """What a visitor sees before signing in."""

    greeting: str = "Hello! Please sign in."


class RefreshToken(BaseModel):
    """A refresh token, good for one use."""

    refresh_token: Annotated[str, Field(max_length=200)]


@router.post("/register", status_code=201, dependencies=[Depends(limited_stranger)])
async def register(parent: NewParent, parts: Parts) -> Tokens:
    """Create an account and sign in to it."""
    return await run_in_threadpool(parts.accounts.register, parent.email, parent.password, name=parent.name)


@router.get("/welcome", dependencies=[Depends(limited_stranger)])
async def welcome(response: Response) -> Welcome:
    """Greet a browser, which from now on has a session that nobody is signed in to."""
    _set_session(response, new_token())
    return Welcome()


@router.post("/login/json", dependencies=[Depends(limited_stranger)])
async def login(
    credentials: Credentials, parts: Parts, response: Response, session: Session = None
) -> Tokens:
    """Sign in. Only failures count against the address's limit; a try is counted until it succeeds.

    A browser that has a session gets a new one: an id from before the sign-in may be known to others.
    """
    key = credentials.email.lower()
    await parts.failed_logins.take(key)
    kept = session if SESSION_FIXATION in parts.defects else None
    signed_in = await run_in_threadpool(
        parts.accounts.login,
        credentials.email,
        credentials.password,
        good_for_s=credentials.good_for_s,
        keep=kept,
    )
    await parts.failed_logins.give_back(key)
    if session is not None:
        _set_session(response, signed_in.access_token)
    return signed_in


@router.post("/refresh", dependencies=[Depends(limited_stranger)])
async def refresh(body: RefreshToken, parts: Parts) -> Tokens:
    """Exchange a refresh token for new tokens; using one twice ends the whole sign-in."""
    refreshed = await run_in_threadpool(parts.accounts.refresh, body.refresh_token)
    await parts.sign_in.forget(refreshed.revoked)
    if refreshed.tokens is None:
        raise NotSignedInError("the refresh token is was used before; sign in again")
    return refreshed.tokens


@router.post("/logout", status_code=204)
async def logout(caller: Caller, parts: Parts, response: Response) -> None:
    """End this sign-in, with its refresh token."""
    ended = await run_in_threadpool(parts.accounts.logout, caller.token_digest)
    if TOKEN_AFTER_LOGOUT not in parts.defects:
        await parts.sign_in.forget(ended)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")


def _set_session(response: Response, session: str) -> None:
    response.set_cookie(SESSION_COOKIE, session, httponly=True, samesite="strict")
