"""The application: its parts, its routes, and what becomes of refusals.

A request passes `BodyLimit`, `Observation`, a route in `routes/` (which validates it and finds out who is
asking) and one call of a store (`accounts`, `children`, `consents`, `conversations`, `history`, ...),
which runs in a worker thread because it waits for the database.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from campaign.demo.database import Database
from campaign.demo.defects import PII_IN_LOGS
from campaign.demo.housekeeping import Housekeeping
from campaign.demo.middleware import BodyLimit, Observation
from campaign.demo.options import DemoOptions
from campaign.demo.refusals import REFUSALS, answer_to
from campaign.demo.routes import (
    auth,
    calls,
    children,
    conversation,
    family,
    live,
    notice,
    operation,
    privacy,
    shared,
    toys,
    user,
    voice,
)
from campaign.demo.services import Services, build_services

LARGEST_BODY_BYTES = 64 * 1024
ROUTERS = (
    conversation,
    family,
    user,
    children,
    auth,
    privacy,
    operation,
    live,
    calls,
    toys,
    voice,
    shared,
    notice,
)
"""The busiest first: routes are matched in order."""


def create_app(options: DemoOptions, database: Database) -> FastAPI:
    """The application around a prepared database; it does not close the database."""
    services = build_services(options, database)
    app = FastAPI(
        title="Teddy",
        version=operation.VERSION,
        summary="A small child-companion service to try campaigns on.",
        lifespan=_lifespan(options, services),
        docs_url=None,  # its page would load scripts from another host
        redoc_url=None,
    )
    app.state.services = services
    for area in ROUTERS:
        app.include_router(area.router)
    app.add_middleware(BodyLimit, most_bytes=LARGEST_BODY_BYTES)
    bodies = PII_IN_LOGS in options.defects
    app.add_middleware(Observation, metrics=services.metrics, bodies=bodies)
    _answer_refusals(app)
    return app


def _lifespan(
    options: DemoOptions, services: Services
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = options.worker_threads
        housekeeping = Housekeeping(services.database, services.metrics, defects=options.defects)
        task = asyncio.create_task(housekeeping.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await services.close()

    return lifespan


def _answer_refusals(app: FastAPI) -> None:
    async def refused(_request: Request, problem: Exception) -> JSONResponse:
        return answer_to(problem)

    for kind in REFUSALS:
        app.add_exception_handler(kind, refused)
