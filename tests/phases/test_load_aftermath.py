"""A target that dies under the load fails, however few requests that cost it."""

import asyncio
import socket
from types import SimpleNamespace

import pytest

from campaign.clock import RealClock
from campaign.records import Evidence, Outcome, Severity
from campaign.target.spec import TargetSpec
from phases.load import aftermath
from phases.load.aftermath import FACT, judge_aftermath, record_aftermath


async def server(status):
    """A server that answers everything with `status`; its port."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        writer.close()

    there = await asyncio.start_server(answer, "127.0.0.1", 0)
    return there, there.sockets[0].getsockname()[1]


def judged(port):
    facts = {}
    context = SimpleNamespace(
        target=TargetSpec(url=f"http://127.0.0.1:{port}", health="GET /health"),
        clock=RealClock(),
        record=SimpleNamespace(fact=facts.__setitem__),
        stop=SimpleNamespace(requested=False),
    )

    async def ask():
        await record_aftermath(context)
        return judge_aftermath(Evidence(facts=facts))

    return ask()


@pytest.mark.parametrize(("status", "outcome"), [(200, Outcome.PASSED), (503, Outcome.FAILED)])
def test_the_answer_after_the_load_decides(monkeypatch, status, outcome):
    monkeypatch.setattr(aftermath, "PATIENCE", 0.0)

    async def scene():
        there, port = await server(status)
        async with there:
            return await judged(port)

    finding = asyncio.run(scene())
    assert (finding.outcome, finding.severity) == (outcome, Severity.BLOCKER)
    assert f"GET /health answered {status}" in finding.message


def test_a_target_that_is_gone_has_failed(monkeypatch):
    monkeypatch.setattr(aftermath, "PATIENCE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    finding = asyncio.run(judged(port))
    assert finding.outcome is Outcome.FAILED
    assert finding.message == "after the load the target was not well: GET /health: connection refused"


def test_a_target_that_was_never_asked_is_undecided():
    assert judge_aftermath(Evidence()).outcome is Outcome.INCONCLUSIVE
    assert judge_aftermath(Evidence(facts={FACT: {"well": True, "detail": ""}})).outcome is Outcome.PASSED
