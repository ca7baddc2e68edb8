"""A target may have an IPv6 address: literal, and in brackets in the URL and the Host header."""

from __future__ import annotations

import asyncio

from campaign.load.tally import ErrorKind, Stage
from campaign.target.http import health
from campaign.target.spec import TargetSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_an_ipv6_target_is_talked_to_and_named_in_brackets(serve, make_plan, run_here):
    server = serve(OK, at="::1")
    outcome = run_here(make_plan(server.url, rounds=6))
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].count == 6
    assert f"\r\nHost: [::1]:{server.port}\r\n".encode() in server.requests[0]


def test_a_redirect_to_an_ipv6_address_is_followed(serve, make_plan, run_here):
    there = serve(OK, at="::1")
    here = serve(
        f"HTTP/1.1 302 Found\r\nLocation: {there.url}/there\r\nContent-Length: 0\r\n\r\n".encode(), at="::1"
    )
    assert run_here(make_plan(here.url)).errors == ()
    assert there.requests[0].startswith(b"GET /there HTTP/1.1\r\n")


def test_health_is_asked_over_ipv6(serve):
    report = asyncio.run(health(TargetSpec(url=serve(OK, at="::1").url, health="GET /health")))
    assert (report.ok, report.status) == (True, 200)


def test_an_ipv6_address_that_is_neither_loopback_nor_private_is_refused(make_plan, run_here):
    [group] = run_here(make_plan("http://[2001:db8::1]:9")).errors
    assert group.kind is ErrorKind.REFUSED
