"""One route of the TCP fault proxy: a listening address, where it leads, and how it is disturbed."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from contextlib import suppress

from campaign.faults.guardian.disturbance import CALM, Disturbance, Link
from campaign.faults.guardian.passage import Passage

BACKLOG = 512

Address = tuple[str, int]


class Route:
    """Takes connections at `listen` and leads them to `to`. Raises OSError where it cannot."""

    def __init__(
        self, selector: selectors.BaseSelector, now: Callable[[], float], *, listen: Address, to: Address
    ) -> None:
        self._selector, self.now = selector, now
        family, _, _, _, found = socket.getaddrinfo(*to, type=socket.SOCK_STREAM)[0]
        self._family, self._to = int(family), (str(found[0]), int(found[1]))
        self.disturbance = CALM
        self.link = Link()
        self.moved_at = now()
        self._passages: set[Passage] = set()
        self._listening = False
        self._listener = _bound(listen)
        self._open()

    @property
    def address(self) -> Address:
        """Where it takes connections."""
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._passages)

    def disturb(self, by: Disturbance) -> None:
        """Disturb it so from now on; what was before is over."""
        self.disturbance = by
        self.link.calm()
        if by.cut:
            self._shut()
        else:
            self._open()
        for passage in tuple(self._passages):
            self._disturb(passage, by)

    def _disturb(self, passage: Passage, by: Disturbance) -> None:
        if by.cut or by.reset:
            passage.close(reset=by.reset)
            return
        passage.hurry()
        if not by.blackhole and not passage.dialled:
            passage.dial(self._family, self._to)  # those that came into the black hole
        passage.update()

    def due(self) -> float:
        """When something in it is due, by its clock; infinity where nothing is."""
        return min((each.due() for each in self._passages), default=float("inf"))

    def tick(self) -> None:
        """Hand on what is due."""
        if self._passages:
            self.moved_at = self.now()
        for passage in tuple(self._passages):
            if passage.due() <= self.now():
                passage.update()

    def close(self) -> None:
        """End it with all of its connections."""
        self._shut()
        self._listener.close()
        for passage in tuple(self._passages):
            passage.close(reset=False)

    def _open(self) -> None:
        if not self._listening:
            self._listener.listen(BACKLOG)
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
            self._listening = True

    def _shut(self) -> None:
        """Refuse connections, and yet keep the address: a socket that is bound and does not listen."""
        if self._listening:
            self._selector.unregister(self._listener)
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listening = False

    def _accept(self, _events: int) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        passage = Passage(self, self._selector, client, over=self._passages.discard)
        self._passages.add(passage)
        if self.disturbance.reset:
            passage.close(reset=True)
        elif not self.disturbance.blackhole:
            passage.dial(self._family, self._to)


def _bound(listen: Address) -> socket.socket:
    """A socket with that address; one of a port that was asked for by number keeps it while it is shut."""
    if not listen[1]:
        with _bound_once(listen) as free:
            listen = listen[0], free.getsockname()[1]
    return _bound_once(listen)


def _bound_once(listen: Address) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(*listen, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
        0
    ]
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
