"""Signing up, in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from campaign.demo.accounts import Tokens
from campaign.demo.problems import NotSignedInError
from campaign.demo.routes.dependencies import Caller, Parts, limited_stranger

router = APIRouter(prefix="/api/auth", tags=["auth"])

Email = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Password = Annotated[str, Field(min_length=8, max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class NewParent(BaseModel):
    """A parent who signs up."""

    email: Email
    password: Password
    name: Name


class Credentials(BaseModel):
    """A parent who signs in."""

    email: Email
    password: Annotated[str, Field(max_length=200)]


class RefreshToken(BaseModel):
    """A refresh token, good for one use."""

    refresh_token: Annotated[str, Field(max_length=200)]


@router.post("/register", status_code=201, dependencies=[Depends(limited_stranger)])
async def register(parent: NewParent, parts: Parts) -> Tokens:
    """Create an account and sign in to it."""
    return await run_in_threadpool(parts.accounts.register, parent.email, parent.password, name=parent.name)


@router.post("/login/json", dependencies=[Depends(limited_stranger)])
async def login(credentials: Credentials, parts: Parts) -> Tokens:
    """Sign in. Only failures count against the address's limit; a try is counted until it succeeds."""
    key = credentials.email.lower()
    await parts.failed_logins.take(key)
    signed_in = await run_in_threadpool(parts.accounts.login, credentials.email, credentials.password)
    await parts.failed_logins.give_back(key)
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
async def logout(caller: Caller, parts: Parts) -> None:
    """End this sign-in, with its refresh token."""
    ended = await run_in_threadpool(parts.accounts.logout, caller.token_digest)
    await parts.sign_in.forget(ended)
