"""The user's own commands, and disturbances of a route that the guardian holds, in front of real servers."""

import asyncio
import socket
import time

import pytest
from servers import free_port

from campaign.clock import RealClock
from campaign.faults.breaker import open_breaker
from campaign.faults.catalogue import make_fault
from campaign.faults.fault import FaultError
from campaign.faults.means import CommandMeans, FaultKind, Means, RouteMeans, Strength


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPAIGN_STATE_HOME", str(tmp_path / "state"))


def by_command(*, answer=5.0, **commands):
    means = Means(command=CommandMeans(**commands))
    return make_fault(FaultKind.STOP, role="database", means=means, clock=RealClock(), answer=answer)


def whole(fault):
    async def story():
        steps = await fault.look()
        injected = await fault.inject()
        effect = await fault.took_effect()
        return steps, injected, effect, await fault.heal()

    return asyncio.run(story())


def test_commands_break_and_heal_and_the_check_proves_it(redis_server, tmp_path):
    up = tmp_path / "up"
    up.touch()
    steps, _, effect, healed = whole(by_command(breaks=f"rm {up}", heal=f"touch {up}", check=f"test -e {up}"))
    assert (effect.proved, healed.restored) == (True, True), (effect, healed)
    assert effect.detail == f"the check fails: `test -e {up}` ended with exit code 1"
    assert healed.healthy_ns == healed.running_ns
    assert steps[0].where == {"heal": f"touch {up}", "check": f"test -e {up}"}
    assert up.exists()


def test_without_a_check_nothing_is_proved(tmp_path):
    _, _, effect, healed = whole(by_command(breaks="true", heal="true"))
    assert (effect.proved, healed.restored) == (False, True)
    assert effect.detail.startswith("no `check` is given for database, so nothing proves it")


def test_a_command_that_does_nothing_is_found_out(monkeypatch):
    monkeypatch.setattr("campaign.faults.commands.EFFECT_SECONDS", 0.3)
    _, _, effect, _ = whole(by_command(breaks="true", heal="true", check="true"))
    assert (effect.proved, effect.detail) == (False, "`true` still succeeds 0.3 s later")


def test_what_commands_do_wrong_is_told(monkeypatch):
    monkeypatch.setattr("campaign.faults.healing.command.CHECK_SECONDS", 0.3)
    with pytest.raises(FaultError, match="is not whole before the fault: `false` ended with exit code 1"):
        whole(by_command(breaks="true", heal="true", check="false"))
    with pytest.raises(FaultError, match="database was not broken: `exit 3` ended with exit code 3"):
        whole(by_command(breaks="exit 3", heal="true"))
    with pytest.raises(FaultError, match="did not end within 1 s"):
        whole(by_command(breaks="sleep 60", heal="true", answer=1.0))
    *_, healed = whole(by_command(breaks="true", heal="exit 4"))
    assert (healed.restored, healed.detail) == (False, "`exit 4` ended with exit code 4")


def on_route(kind, port, seen, **strength):
    """What became of the fault on a route to `port`; `seen(listen)` is asked while it is disturbed."""

    async def story():
        async with open_breaker(target_url="http://127.0.0.1:1", run=".", clock=RealClock()) as breaker:
            listen = ("127.0.0.1", free_port())
            await breaker.routes.open("cache", listen, ("127.0.0.1", port))
            means = Means(route=RouteMeans("cache", listen, breaker.routes))
            how = Strength(**strength)
            fault = make_fault(kind, role="cache", means=means, clock=RealClock(), strength=how)
            struck = await breaker.strike(fault, seconds=20)
            saw = await asyncio.to_thread(seen, listen)
            healed = await breaker.heal(struck)
            return struck.effect, saw, healed, await asyncio.to_thread(ping, listen)

    return asyncio.run(story())


def ping(listen):
    """How long Redis takes to answer, or what came instead."""
    began = time.monotonic()
    try:
        with socket.create_connection(listen, timeout=2) as line:
            line.sendall(b"PING\r\n")
            answer = line.recv(7)
    except OSError as error:
        return type(error)
    return time.monotonic() - began if answer == b"+PONG\r\n" else answer


def test_a_slow_route_is_as_slow_as_asked(redis_server):
    effect, slow, healed, after = on_route(FaultKind.SLOW, redis_server.port, ping, latency=0.3)
    assert effect.proved, effect
    assert slow >= 0.3
    assert healed.restored, healed
    assert after < 0.2


def test_a_black_hole_takes_all_and_gives_nothing(redis_server):
    effect, saw, healed, after = on_route(FaultKind.BLACKHOLE, redis_server.port, ping)
    assert effect.proved, effect
    assert effect.detail == "a connection through it is silent; before, it was answered"
    assert saw is TimeoutError
    assert healed.restored
    assert after < 0.2


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.RESET])
def test_a_route_that_is_cut_or_reset_lets_nobody_through(redis_server, kind):
    effect, saw, healed, after = on_route(kind, redis_server.port, ping)
    assert effect.proved, effect
    assert saw in {ConnectionRefusedError, ConnectionResetError, b""}
    assert healed.restored
    assert after < 0.2


def test_a_route_to_postgres_is_proved_slow_without_a_word_that_it_does_not_know(postgres_server):
    effect, _, healed, _ = on_route(FaultKind.SLOW, postgres_server.port, lambda _: None, latency=0.3)
    assert effect.proved, effect
    assert healed.restored


def test_a_route_to_nothing_is_not_disturbed():
    with pytest.raises(FaultError, match="does not work before the fault"):
        on_route(FaultKind.CUT, free_port(), ping)


def test_a_slow_route_that_is_not_slower_is_refused():
    means = Means(route=RouteMeans("cache", ("127.0.0.1", 1), None))
    with pytest.raises(FaultError, match="a slow route says how slow: latency, jitter or bandwidth"):
        make_fault(FaultKind.SLOW, role="cache", means=means, clock=RealClock())
