"""A Dask worker that takes shards of campaigns, one at a time, until it is stopped or its scheduler ends."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import tempfile
from collections.abc import Callable, Coroutine
from importlib.util import find_spec
from typing import Any

from campaign.errors import ConfigurationError, GeneratorError

ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:]+\]|[^\s/:\[\]]+):[0-9]{1,5}")

MISSING = "Dask is not installed here, and a fleet needs it\n  install  pip install 'campaign[cluster]'"

CONNECT_LIMIT = 30.0
"""Seconds that the scheduler may take to answer."""


CALM = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
}
"""Dask watches its workers fifty times a second by default, which takes a core's time from the load."""


def check_address(address: str, *, name: str) -> str:
    """`address` when a Dask scheduler can have it. Raises ConfigurationError, which blames `name`."""
    if not ADDRESS.fullmatch(address):
        raise ConfigurationError(
            f"{name} {address}: not the address of a Dask scheduler\n"
            "  allowed  tcp://HOST:PORT or tls://HOST:PORT, such as tcp://127.0.0.1:8786"
        )
    return address


def check_installed() -> None:
    """Raises ConfigurationError where Dask is not there."""
    if find_spec("distributed") is None:
        raise ConfigurationError(MISSING)


def hush() -> None:
    """Keep Dask from writing to the terminal: what matters of it, we say ourselves."""
    for name in ("distributed", "distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


async def serve(address: str, *, name: str | None, host: str | None, say: Callable[[str], None]) -> None:
    """Return when the worker has ended: by SIGINT or SIGTERM, or because its scheduler is gone.

    Raises GeneratorError where the scheduler does not answer.
    """
    import dask  # noqa: PLC0415 - Dask is loaded only where it is wanted
    from distributed import Worker  # noqa: PLC0415

    dask.config.set(CALM)
    hush()
    stopped = _stop_on_signals()
    with tempfile.TemporaryDirectory(prefix="campaign-worker-") as folder:
        worker = Worker(
            address,
            name=name,
            host=host,
            nthreads=1,
            memory_limit=0,  # Dask would pause a worker that grows, and its load with it
            local_directory=folder,
            death_timeout=CONNECT_LIMIT,
        )
        try:
            if await _unless(stopped, _start(worker, address)):
                say(f"ready for {address} as {worker.name} at {worker.address}; Ctrl-C ends it")
                await _unless(stopped, worker.finished())
                say("stopped" if stopped.is_set() else f"the scheduler at {address} is gone")
        finally:
            await worker.close()


def _stop_on_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _start(worker: Any, address: str) -> None:
    try:
        await worker
    except (OSError, RuntimeError, ValueError, TimeoutError) as error:
        raise GeneratorError(f"no Dask scheduler answers at {address} (in {CONNECT_LIMIT:.0f} s)") from error


async def _unless(stopped: asyncio.Event, work: Coroutine[Any, Any, Any]) -> bool:
    """Whether `work` ended before it was stopped; its errors are raised."""
    working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(stopped.wait())
    await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not working.done():
        working.cancel()
        return False
    working.result()
    return True
