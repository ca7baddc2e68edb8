"""The door of a Python object: a conversation manager of one's own, used in this process."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from campaign.errors import ConfigurationError
from campaign.load.python.probe import obstacle
from phases.safety.quotas.door import Entry, Said
from phases.safety.quotas.settings import SlotSettings

PATIENCE = 10.0
"""Seconds that a call may take."""

THREADS = 300

SWITCH = 1e-5
"""Seconds after which Python lets another thread run, during a rush: about the worst that a busy machine
does.
"""


class ManagerError(ConfigurationError):
    """The class cannot be found or made, or lacks start and stop."""

    slug = "conversation-manager"


def make_manager(path: str, folder: str) -> Any:
    """An object of the class "module:Class", found in `folder` first. Blocks; raises ManagerError."""
    module, _, name = path.partition(":")
    if why := obstacle(module, folder):
        raise ManagerError(f"the module {module!r}, {why}")
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            made = getattr(importlib.import_module(module), name)()
    except Exception as error:
        raise ManagerError(f"{path} cannot be made: {type(error).__name__}: {error}") from error
    missing = [each for each in ("start", "stop") if not callable(getattr(made, each, None))]
    if missing:
        raise ManagerError(f"{path} has no {' and no '.join(missing)}; needed: start(user), stop(handle)")
    return made


class PythonDoor:
    """Calls of an object's `start` and `stop`: of plain functions in threads, that all begin together."""

    def __init__(self, manager: Any, settings: SlotSettings) -> None:
        self._manager = manager
        self._settings = settings
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="caller")

    async def ask(self, users: Sequence[int]) -> list[Entry]:
        """One `start` by each, all at once."""
        if inspect.iscoroutinefunction(self._manager.start):
            return list(await asyncio.gather(*(self._entry(self._manager.start, user) for user in users)))
        together = threading.Barrier(len(users))

        def begin(user: str) -> Any:
            together.wait(PATIENCE)
            return self._manager.start(user)

        with _eager_switches() if len(users) > 1 else contextlib.nullcontext():
            return list(await asyncio.gather(*(self._entry(begin, user) for user in users)))

    async def _entry(self, begin: Callable[[str], Any], user: int) -> Entry:
        try:
            handle = await self._called(begin, f"user-{user}")
        except TimeoutError:
            return Entry(Said.LOST, f"start was not done within {PATIENCE:g} s")
        except Exception as error:  # noqa: BLE001 - whatever a manager of somebody's raises
            name = type(error).__name__
            known = any(each.__name__ in self._settings.refuses for each in type(error).__mro__)
            return Entry(Said.REFUSED) if known else Entry(Said.IMPROPER, f"start raised {name}: {error}")
        return Entry(Said.REFUSED) if handle is None or handle is False else Entry(Said.ACCEPTED, "", handle)

    async def leave(self, entry: Entry) -> str:
        """One `stop`."""
        try:
            await self._called(self._manager.stop, entry.handle)
        except Exception as error:  # noqa: BLE001 - as above
            return f"stop raised {type(error).__name__}: {error}"
        return ""

    async def count(self) -> int | None:
        """What its counter says: an attribute, or a method without arguments."""
        name = self._settings.counter
        found = getattr(self._manager, name, None) if isinstance(name, str) else None
        if callable(found):
            found = found()
            found = await found if inspect.isawaitable(found) else found
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    async def _called(self, call: Callable[[Any], Any], argument: Any) -> Any:
        async with asyncio.timeout(PATIENCE):
            if inspect.iscoroutinefunction(call):
                made: Awaitable[Any] = call(argument)
                return await made
            return await asyncio.get_running_loop().run_in_executor(self._pool, call, argument)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _eager_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
