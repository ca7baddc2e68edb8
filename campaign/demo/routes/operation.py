"""For those who run the service: is it well, and its numbers."""

from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from campaign.demo.metrics import CONTENT_TYPE
from campaign.demo.problems import Problem
from campaign.demo.routes.dependencies import Parts
from campaign.demo.services import Services

router = APIRouter(tags=["operation"])

VERSION = "1.0.0"


@dataclass(frozen=True, slots=True)
class Health:
    """`ok`; `degraded` when only the cache is away, which costs speed; `down` without the database."""

    status: str
    version: str
    database: str
    cache: str


@router.get("/health")
async def health(parts: Parts, response: Response) -> Health:
    """Ask the database and the cache; 503 without the database."""
    database = await run_in_threadpool(_database_answers, parts)
    cache = await parts.state.healthy()
    response.status_code = 200 if database else 503
    status = "down" if not database else "ok" if cache else "degraded"
    return Health(status, VERSION, _word(database), _word(cache))


@router.get("/metrics", response_class=Response)
async def metrics(parts: Parts) -> Response:
    """The service's numbers in the Prometheus text format."""
    return Response(await run_in_threadpool(parts.metrics.text), media_type=CONTENT_TYPE)


def _database_answers(parts: Services) -> bool:
    try:
        parts.database.ping()
    except (SQLAlchemyError, Problem):
        return False
    return True


def _word(answers: bool) -> str:  # noqa: FBT001 - a private one-liner
    return "ok" if answers else "away"
