"""A server that stands still keeps nobody waiting for ever."""

import asyncio
import time

import pytest
from scene import make_context, settings_of
from servers import MariaDb, Postgres

from campaign.database.address import read_address
from campaign.database.server import open_server
from campaign.database.watch import WATCH
from phases.database.collect import run_parts

SKIPPED = [
    "queries",
    "catalogue",
    "pool",
    "isolation",
    "durability",
    "recovery",
    "cache",
    "service",
    "workload",
]


@pytest.fixture(params=[Postgres, MariaDb])
def server(request):
    started = request.param()
    yield started
    started.end()


@pytest.fixture(autouse=True)
def relaxed():
    yield
    WATCH.relax()


def test_a_statement_on_a_frozen_server_ends_once_the_campaign_is_stopped(server):
    opened = open_server(read_address(server.database("frozen")), tag="t")
    with opened.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        began = time.monotonic()
        with server.frozen():
            WATCH.hurry()
            with pytest.raises(Exception, match=r"(?i)connection|lost|closed"):
                connection.exec_driver_sql("SELECT 2")
            assert time.monotonic() - began < 10
    opened.close()


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.postgres
def test_a_phase_that_is_stopped_on_a_frozen_server_comes_to_its_end():
    server = Postgres()
    url = server.database("frozen")

    async def run():
        context = make_context(settings_of(skip=SKIPPED), stores={"database": url})
        phase = asyncio.create_task(run_parts(context))
        async with asyncio.timeout(20):
            while not any("invariants" in each.message for each in context.record.told):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        with server.frozen():
            context.stop.request()
            async with asyncio.timeout(110):  # several connections wait for their end, one after the other
                await phase
        return context.record

    try:
        record = asyncio.run(run())
    finally:
        server.end()
    assert record.facts["territory"]["left"] is True
