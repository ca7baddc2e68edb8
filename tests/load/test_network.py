"""Regions and devices are simulated in front of real connections, with the figures that were asked for."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from collections import Counter

import pytest

from campaign.load.messages import Shard
from campaign.load.network import DelayLine, assign_regions
from campaign.load.shard import prepare
from campaign.load.tally import ErrorKind, Stage
from campaign.target.devices import BUILT_IN
from campaign.target.journey import TaskSpec, WaitSpec
from campaign.target.spec import BodySpec, DeviceSpec, OptionsSpec, SocketSpec, StreamSpec, TlsSpec, UserSpec

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def user(name="visitor", operation="home", **changes):
    return UserSpec(name, 1, WaitSpec(0.02, 0.02), (), {operation: TaskSpec.of(operation)}, **changes)


@pytest.fixture
def make_far(make_plan):
    """A plan whose users have regions or devices."""

    def make(url, *operations, regions=(), devices=(), kinds=None, **changes):
        plan = make_plan(url, *operations, kinds=kinds, **changes)
        vocabulary = dataclasses.replace(plan.vocabulary, regions=dict(regions), devices=dict(devices))
        return dataclasses.replace(plan, vocabulary=vocabulary)

    return make


def median(outcome, operation="home", stage=Stage.HOLD):
    return outcome.tallies[operation, stage].response.percentile(0.5) / 1e6


def test_a_region_adds_its_round_trip_to_each_answer_and_one_more_to_a_new_connection(
    serve, make_far, run_here
):
    server = serve(OK)
    plan = make_far(server.url, kinds={"visitor": user(regions={"us": 1})}, regions={"us": 0.1}, hold=1.5)
    outcome = run_here(plan)
    assert (outcome.errors, server.connections) == ((), 1)
    tally = outcome.tallies["home", Stage.HOLD]
    assert 5 < tally.count < 1.5 / 0.12
    assert 0.1 <= median(outcome) < 0.15
    assert tally.response.maximum >= 200_000  # the first one opened the connection


def test_tls_takes_one_round_trip_more(serve, make_far, run_here, certificates):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server)
    plan = make_far(
        serve(OK, tls=context).url,
        kinds={"visitor": user(regions={"us": 1})},
        regions={"us": 0.1},
        tls=TlsSpec(ca=str(certificates.ca)),
        hold=1.0,
    )
    outcome = run_here(plan)
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].response.maximum >= 300_000


def test_a_bandwidth_adds_the_time_of_the_bytes(serve, make_far, run_here, operation):
    big = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000
    server = serve(big)
    post = operation("home", method="POST", body=BodySpec(raw="y" * 5_000))
    plan = make_far(
        server.url,
        post,
        kinds={"visitor": user(device="toy")},
        devices={"toy": DeviceSpec(down=200_000, up=50_000)},
        hold=1.5,
    )
    outcome = run_here(plan)
    assert outcome.errors == ()
    assert 0.2 <= median(outcome) < 0.26  # 20 KB at 200 KB/s, and 5 KB at 50 KB/s


def test_a_device_sends_its_headers_and_an_operations_own_win(serve, make_far, run_here, operation):
    server = serve(OK)
    kinds = {
        "phone": user("phone", "home", device="mobile"),
        "toy": user("toy", "talk", device="toy"),
    }
    plan = make_far(
        server.url,
        operation("home"),
        operation("talk", headers={"x-model": "mine"}),
        kinds=kinds,
        devices={"toy": DeviceSpec(headers={"User-Agent": "Teddy/1.0", "X-Model": "bear"})},
        users=2,
        hold=1.0,
    )
    assert run_here(plan).errors == ()
    heads = {bytes(request) for request in server.requests}
    phone = BUILT_IN["mobile"].headers["User-Agent"].encode()
    assert any(b"\r\nUser-Agent: %b\r\n" % phone in head for head in heads)
    toys = [head for head in heads if b"User-Agent: Teddy/1.0\r\n" in head]
    assert toys
    assert all(b"mine" in head and b"bear" not in head for head in toys)


def test_the_timeout_covers_what_is_simulated(serve, make_far, run_here, operation):
    plan = make_far(
        serve(OK).url,
        operation("home", options=OptionsSpec(timeout=0.3)),
        kinds={"visitor": user(regions={"moon": 1})},
        regions={"moon": 1.0},
        hold=0.5,
    )
    [group] = run_here(plan).errors
    assert group.kind is ErrorKind.TIMEOUT


def test_an_answer_counts_though_its_connection_is_closed_meanwhile(serve, make_far, run_here):
    async def close_at_once(talker):
        await talker.request()
        talker.say(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    plan = make_far(
        serve(close_at_once).url, kinds={"visitor": user(regions={"us": 1})}, regions={"us": 0.05}, hold=1.0
    )
    outcome = run_here(plan)
    assert outcome.errors == ()
    assert outcome.tallies["home", Stage.HOLD].count >= 3


def test_a_websocket_is_as_far_away(serve, make_far, run_here, operation, socket_echo):
    script = SocketSpec(send="hello", reply="hello", messages=3)
    plan = make_far(
        serve(socket_echo).url,
        operation("home", options=OptionsSpec(timeout=2.0, socket=script)),
        kinds={"visitor": user(regions={"us": 1})},
        regions={"us": 0.05},
        hold=1.0,
    )
    outcome = run_here(plan)
    assert outcome.errors == ()
    trips = outcome.measures["home", "round_trip", Stage.HOLD]
    assert trips.count >= 6
    assert 50_000 <= trips.percentile(0.5) < 90_000


def test_the_first_event_of_a_stream_is_as_late(serve, make_far, run_here, operation):
    async def tell(talker):
        while True:
            await talker.request()
            talker.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(3):
                talker.say(b"9\r\ndata: a\n\n\r\n")
                await asyncio.sleep(0.02)
            talker.say(b"0\r\n\r\n")

    plan = make_far(
        serve(tell).url,
        operation("home", options=OptionsSpec(timeout=2.0, stream=StreamSpec("events"))),
        kinds={"visitor": user(regions={"us": 1})},
        regions={"us": 0.1},
        hold=1.0,
    )
    outcome = run_here(plan)
    assert outcome.errors == ()
    assert outcome.counts["home.events"] == 3 * sum(tally.count for tally in outcome.tallies.values())
    assert outcome.measures["home", "first_event", Stage.HOLD].percentile(0.1) >= 100_000
    assert outcome.measures["home", "event_gap", Stage.HOLD].percentile(0.5) < 60_000


def test_who_has_no_region_pays_nothing(serve, make_far, run_here):
    kinds = {"near": user("near"), "far": user("far", regions={"us": 1})}
    plan = make_far(
        serve(OK).url,
        kinds=kinds,
        regions={"us": 0.3},
        users=2,
        hold=1.0,
        views=frozenset({"kinds", "regions"}),
    )
    outcome = run_here(plan)
    near, far = (outcome.views[label, Stage.HOLD] for label in ("kind near", "kind far"))
    assert near.response.percentile(0.5) < 150_000
    assert far.response.percentile(0.5) >= 300_000
    assert outcome.views["region us", Stage.HOLD].count == far.count


def test_regions_are_given_by_weight_within_each_kind_and_depend_on_numbers_alone():
    users = {
        "a": user("a", regions={"eu": 70, "us": 30, "no": 0}),
        "b": user("b"),
        "c": user("c", regions={"us": 1}),
    }
    kinds = ["a", "b", "c"] * 100
    regions = assign_regions(kinds, users)
    of_a = regions[::3]
    assert Counter(of_a) == {"eu": 70, "us": 30}
    assert Counter(of_a[:10]) == {"eu": 7, "us": 3}
    assert (set(regions[1::3]), set(regions[2::3])) == ({""}, {"us"})
    assert assign_regions(kinds[:30], users) == regions[:30]


def test_a_delay_line_keeps_the_order_and_lets_bytes_queue_behind_each_other():
    now = [0]

    class Loop:
        def __init__(self):
            self.timers = []

        def call_later(self, seconds, call):
            self.timers.append((now[0] + round(seconds * 1e9), call))

        def run(self):
            while self.timers:
                due, call = self.timers.pop(0)
                now[0] = max(now[0], due)
                call()

    loop, seen = Loop(), []
    line = DelayLine(0.1, 1000, loop=loop, now_ns=lambda: now[0])  # half of 100 ms, 1 ms per byte
    for name, size in (("a", 10), ("b", 20), ("c", 0)):
        line.put(lambda thing: seen.append((thing, now[0] // 1_000_000)), name, size=size)
    loop.run()
    assert seen == [("a", 60), ("b", 80), ("c", 80)]


def test_any_split_over_workers_gives_the_same_regions(make_far):
    kinds = {"a": user("a", regions={"eu": 2, "us": 1}), "b": user("b", regions={"us": 1})}
    plan = make_far("http://127.0.0.1:9", kinds=kinds, regions={"eu": 0.01, "us": 0.02}, users=17)
    whole = prepare(Shard(plan, 0)).regions
    split = dataclasses.replace(plan, workers=3)
    parts = [prepare(Shard(split, index)).regions for index in range(3)]
    assert {user: region for part in parts for user, region in part.items()} == whole
    assert sum(map(len, parts)) == 17
