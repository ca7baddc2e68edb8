"""Children, and their parent's consent."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from campaign.demo.children import Child, columns_of
from campaign.demo.consents import CURRENT_POLICY, Consent, Kind, Method, Verification
from campaign.demo.defects import MASS_ASSIGNMENT
from campaign.demo.history import Session
from campaign.demo.routes.auth import Name
from campaign.demo.routes.dependencies import Caller, Parts

router = APIRouter(prefix="/api/children", tags=["children"])

YEAR_S = 365 * 24 * 3_600
BirthYear = Annotated[int, Field(ge=2005, le=2030)]


@dataclass(frozen=True, slots=True)
class ChildList:
    """All children of the caller."""

    children: list[Child]


@dataclass(frozen=True, slots=True)
class ConsentList:
    """What was decided for a child, and the policy version that consent must be for."""

    consents: list[Consent]
    current_policy: str


@dataclass(frozen=True, slots=True)
class SessionList:
    """A child's conversations, newest first."""

    sessions: list[Session]


class NewChild(BaseModel):
    """The little that is needed before there is consent."""

    name: Name
    birth_year: BirthYear


class ChildChange(BaseModel):
    """Only the fields that are sent are changed."""

    name: Name | None = None
    birth_year: BirthYear | None = None
    interests: Annotated[str, Field(max_length=200)] | None = None


class VerificationProof(BaseModel):
    """How it was checked that a parent is asking."""

    method: Method
    reference: Annotated[str, Field(min_length=1, max_length=100)]


class Grant(BaseModel):
    """A parent's consent to one purpose."""

    kind: Kind
    policy_version: Annotated[str, Field(min_length=1, max_length=20)] = CURRENT_POLICY
    verification: VerificationProof
    good_for_s: Annotated[float, Field(gt=0, le=10 * YEAR_S)] | None = None


class Question(BaseModel):
    """The purpose for which a parent is asked to consent."""

    kind: Kind


class Revocation(BaseModel):
    """The purpose for which consent ends."""

    kind: Kind


@router.post("", status_code=201)
async def add_child(child: NewChild, caller: Caller, parts: Parts) -> Child:
    """Add a child; nothing may be collected for it before consent is granted."""
    return await run_in_threadpool(
        parts.children.add, caller.parent_id, child.name, birth_year=child.birth_year
    )


@router.get("")
async def list_children(caller: Caller, parts: Parts) -> ChildList:
    """The caller's children."""
    return ChildList(await run_in_threadpool(parts.children.all, caller.parent_id))


@router.get("/{child_id}")
async def get_child(child_id: str, caller: Caller, parts: Parts) -> Child:
    """One child."""
    return await parts.profiles.one(caller.parent_id, child_id)


@router.patch("/{child_id}")
async def change_child(
    child_id: str, change: ChildChange, caller: Caller, parts: Parts, request: Request
) -> Child:
    """Change a child's profile; needs consent to collection."""
    changes = change.model_dump(exclude_none=True)
    if MASS_ASSIGNMENT in parts.defects:
        changes = columns_of(await request.json())
    return await run_in_threadpool(parts.children.change, caller.parent_id, child_id, changes=changes)


@router.delete("/{child_id}", status_code=204)
async def delete_child(child_id: str, caller: Caller, parts: Parts) -> None:
    """Delete a child and all that was stored for it."""
    await run_in_threadpool(parts.children.delete, caller.parent_id, child_id)


@router.get("/{child_id}/consent")
async def consent_states(child_id: str, caller: Caller, parts: Parts) -> ConsentList:
    """What was decided for a child."""
    states = await run_in_threadpool(parts.consents.states, caller.parent_id, child_id)
    return ConsentList(states, CURRENT_POLICY)


@router.post("/{child_id}/consent")
async def grant_consent(child_id: str, grant: Grant, caller: Caller, parts: Parts) -> Consent:
    """Consent to one purpose."""
    return await run_in_threadpool(
        parts.consents.grant,
        caller.parent_id,
        child_id,
        kind=grant.kind,
        policy_version=grant.policy_version,
        verification=Verification(grant.verification.method, grant.verification.reference),
        good_for_s=grant.good_for_s,
    )


@router.post("/{child_id}/consent/question", status_code=202)
async def ask_for_consent(child_id: str, question: Question, caller: Caller, parts: Parts) -> Consent:
    """Ask the parent for consent to one purpose, who decides later; until then nothing is collected."""
    return await run_in_threadpool(parts.consents.ask, caller.parent_id, child_id, kind=question.kind)


@router.delete("/{child_id}/consent")
async def revoke_consent(child_id: str, kind: Kind, caller: Caller, parts: Parts) -> ConsentList:
    """End the consent to one purpose, named in the query; what follows stores nothing more."""
    states = await run_in_threadpool(parts.consents.revoke, caller.parent_id, child_id, kind=kind)
    return ConsentList(states, CURRENT_POLICY)


@router.get("/{child_id}/sessions")
async def list_sessions(child_id: str, caller: Caller, parts: Parts) -> SessionList:
    """A child's conversations, newest first."""
    return SessionList(await run_in_threadpool(parts.history.sessions, caller.parent_id, child_id))
