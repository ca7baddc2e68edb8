"""A target may listen on a Unix socket: its URL then gives the host and the path; nothing is looked up."""

from __future__ import annotations

import asyncio

import pytest

from campaign.load.tally import ErrorKind, Stage
from campaign.runner.preflight import check_guard
from campaign.target.http import health
from campaign.target.spec import ConnectionSpec, ServiceSpec, TargetSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NOWHERE = "http://shop.invalid/api"
PUBLIC = "http://203.0.113.7/api"


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "app.sock")


@pytest.mark.parametrize("url", [NOWHERE, PUBLIC])
def test_requests_go_through_the_socket_with_host_and_path_of_the_url(  # noqa: PLR0917
    url, path, serve, make_plan, run_here, operation
):
    server = serve(OK, at=path)
    plan = make_plan(url, operation("home", "/items"), connection=ConnectionSpec(socket=path), rounds=4)
    outcome = run_here(plan)
    assert outcome.errors == ()
    assert (server.connections, outcome.tallies["home", Stage.HOLD].count) == (1, 4)
    host = url.split("/")[2]
    assert server.requests[0].startswith(f"GET /api/items HTTP/1.1\r\nHost: {host}\r\n".encode())


def test_other_hosts_are_reached_over_the_network(path, serve, make_plan, run_here, operation):
    here, there = serve(OK, at=path), serve(OK)
    plan = make_plan(
        NOWHERE,
        operation("speak", service="speech"),
        connection=ConnectionSpec(socket=path),
        services={"speech": ServiceSpec(there.url)},
        rounds=4,
    )
    assert run_here(plan).errors == ()
    assert (len(here.requests), len(there.requests)) == (0, 4)


def test_a_redirect_elsewhere_is_still_checked_by_the_guard(path, serve, make_plan, run_here):
    serve(b"HTTP/1.1 302 Found\r\nLocation: http://203.0.113.9/\r\nContent-Length: 0\r\n\r\n", at=path)
    [group] = run_here(make_plan(NOWHERE, connection=ConnectionSpec(socket=path))).errors
    assert group.kind is ErrorKind.REFUSED


def test_without_a_server_it_is_a_connect_error(path, make_plan, run_here):
    [group] = run_here(make_plan(NOWHERE, connection=ConnectionSpec(socket=path))).errors
    assert (group.kind, group.detail) == (ErrorKind.CONNECT, "no such file or directory")


def test_health_is_asked_through_the_socket(path, serve):
    server = serve(OK, at=path)
    target = TargetSpec(url=PUBLIC, health="GET /health", connection=ConnectionSpec(socket=path))
    asyncio.run(check_guard(target))
    report = asyncio.run(health(target))
    assert (report.ok, report.status) == (True, 200)
    assert server.requests[0].startswith(b"GET /api/health HTTP/1.1\r\nHost: 203.0.113.7\r\n")
