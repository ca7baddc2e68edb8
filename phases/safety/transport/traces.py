"""Where words of people come to lie that are nobody's to read: addresses, logs, stores in clear text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote_plus

from campaign.canary import mint_of
from campaign.clock import SECOND
from campaign.errors import CampaignError
from phases.safety.asking import NotTestedError
from phases.safety.cast.principal import Heard, Principal
from phases.safety.probe import Answered, Probe
from phases.safety.scene import Scene
from phases.safety.stores import search
from phases.safety.transport.plan import WEIGHTS, check_of

URLS = "Send what people say and who they are in the body; addresses come to lie in logs and histories."
LOGS = "Log the route, the status and the time; no bodies, no addresses with words in them, no tokens."
MAIL = re.compile(rb"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.]{2,20}")
SECRET = re.compile(r"token|password|passwd|secret|api_?key", re.IGNORECASE)
"""Names of saved values that let somebody in; others do where a role's `credentials` say so."""

SHORTEST_SECRET = 12
MOST_READ = 64 * 2**20
"""Bytes at the end of a log file that are read."""

WAIT, AGAIN = 3.0, 0.05
"""Seconds that a log may take to be written, and between two looks at it."""


def urls(scene: Scene, people: Iterable[Principal]) -> Probe:
    """The address of every operation that these people can do, against what they said and who they are."""
    looked: set[str] = set()
    for who in people:
        for operation in who.operations:
            try:
                target = unquote_plus(who.built(operation).target)
            except CampaignError:
                continue  # it needs what this one does not know
            looked.add(operation)
            if what := _personal(scene, who, target):
                said = f"the address of {operation} holds {what}"
                return _probe("urls", Answered.FAILED, said)
    if not looked:
        raise NotTestedError("no operation could be made into a request")
    said = f"the addresses of {len(looked)} operations hold no token, no mail address and nobody's words"
    return _probe("urls", Answered.PASSED, said)


def _personal(scene: Scene, who: Principal, target: str) -> str:
    if mint_of(str(scene.context.seed)).found(target.encode()):
        return "what somebody says, or a name"
    if MAIL.search(target.encode()):
        return "a mail address"
    return next((f"the value {name!r}" for name, value in secrets_of(who) if value in target), "")


def secrets_of(who: Principal) -> list[tuple[str, str]]:
    """The saved values that let somebody in, by their names."""
    return [
        (name, value)
        for name, value in who.scope.values.items()
        if isinstance(value, str)
        and len(value) >= SHORTEST_SECRET
        and (name in who.credentials or SECRET.search(name))
    ]


class Logs:
    """The declared log files, and how long each was at the beginning."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._began = {path: size_of(path) for path in paths}

    @property
    def unread(self) -> list[str]:
        """Those that cannot be read."""
        return [path for path, size in self._began.items() if size is None]

    @property
    def grown(self) -> bool:
        """Whether anything was written since."""
        return any((size_of(path) or 0) != size for path, size in self._began.items() if size is not None)

    async def settled(self, scene: Scene) -> bool:
        """Whether something was written, within `WAIT`; then also what comes right after it."""
        clock = scene.context.clock
        until = clock.now_ns() + round(WAIT * SECOND)
        while not self.grown:
            if clock.now_ns() >= until:
                return False
            await asyncio.sleep(AGAIN)
        await asyncio.sleep(4 * AGAIN)
        return True

    def read(self) -> Mapping[str, bytes]:
        """The end of each file. Raises OSError."""
        return {path: _end(path) for path, size in self._began.items() if size is not None}

    def since(self, path: str, data: bytes) -> bytes:
        """What of a file's end was written since the beginning; all of it where the file was begun anew."""
        grown = (size_of(path) or 0) - (self._began[path] or 0)
        return data[-grown:] if 0 < grown < len(data) else data


def size_of(path: str) -> int | None:
    """Bytes; None where there is no such file, or none that we may see."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return None


def _end(path: str) -> bytes:
    with Path(path).open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - MOST_READ))
        return file.read()


async def logs(scene: Scene, files: Logs, *, people: list[Principal], answers: list[Heard]) -> Probe:
    """What the log files say of people, after some of them have done what people do."""
    if files.unread:
        raise NotTestedError(f"the log {files.unread[0]} cannot be read (transport.logs)")
    if not await files.settled(scene):
        raise NotTestedError(
            f"nothing was logged within {WAIT:g} s, though {len(answers)} operations were done"
        )
    try:
        ends = await asyncio.to_thread(files.read)
    except OSError as error:
        raise NotTestedError(f"a log cannot be read: {error.strerror}") from error
    mails = {mail for heard in answers for mail in MAIL.findall(heard.body)}
    for path, data in ends.items():
        if what := _told(scene, files.since(path, data), data, people=people, mails=mails):
            return _probe("logs", Answered.FAILED, f"{path} holds {what}")
    size = sum(map(len, ends.values()))
    return _probe(
        "logs", Answered.PASSED, f"{size:,} bytes of log hold no token, no mail address, nobody's words"
    )


def _told(scene: Scene, new: bytes, whole: bytes, *, people: list[Principal], mails: set[bytes]) -> str:
    """What of people is in a log: canaries of this run anywhere, all else in what was written meanwhile."""
    if found := mint_of(str(scene.context.seed)).found(whole):
        named = [each.name for each in scene.cast.people if each.canary in found]
        return (
            f"what {' and '.join(named[:3]) or 'somebody'} said, or a name (line {_line(whole, min(found))})"
        )
    for who in people:
        for name, value in secrets_of(who):
            if value.encode() in new:
                return f"the value {name!r} of {who.name} (line {_line(whole, value)})"
    mail = next((each for each in mails if each in new), None)
    return "" if mail is None else f"a mail address (line {_line(whole, mail.decode())})"


def _line(data: bytes, word: str) -> int:
    """The number of the line in what was read of the file, from 1."""
    return data.count(b"\n", 0, max(data.find(word.encode()), 0)) + 1


async def in_clear_text(scene: Scene, who: Principal) -> str:
    """Where the word of this one lies in clear text: told, and held against nobody."""
    if scene.server is None and not scene.redis:
        return ""
    found = await search(scene.server, scene.redis, (who.canary,))
    if not found.places:
        return f"what {who.name} said is nowhere in clear text{' that could be read' if found.unread else ''}"
    return f"what {who.name} said lies in clear text in {found}"


def _probe(kind: str, answered: Answered, said: str) -> Probe:
    remedy = {"urls": URLS, "logs": LOGS}[kind] if answered is Answered.FAILED else ""
    return Probe(check_of(kind), WEIGHTS[kind], answered, said, remedy)
