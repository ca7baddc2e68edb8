"""One connection through a route: two sockets, and what is on its way between them."""

from __future__ import annotations

import selectors
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from campaign.faults.guardian.disturbance import DOWN, UP, Disturbance, Link

ROOM = 1 << 18
"""Bytes on their way in one direction; when it is full the sender has to wait."""

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Host(Protocol):
    """The route that a passage is part of."""

    disturbance: Disturbance
    link: Link

    def now(self) -> float:
        """Seconds."""


class Flow:
    """One direction: pieces that wait until they are due."""

    def __init__(self, direction: int) -> None:
        self.direction = direction
        self.pieces: deque[tuple[float, memoryview]] = deque()
        self.size = 0
        self.ended = self.shut = False

    def add(self, piece: bytes, due: float) -> None:
        """Let a piece wait; pieces never overtake each other."""
        last = self.pieces[-1][0] if self.pieces else 0.0
        self.pieces.append((max(due, last), memoryview(piece)))
        self.size += len(piece)

    def hurry(self, now: float) -> None:
        """Let all of it be due now."""
        self.pieces = deque((min(due, now), piece) for due, piece in self.pieces)

    @property
    def due(self) -> float:
        """When the next piece may go on; infinity where there is none."""
        return self.pieces[0][0] if self.pieces else float("inf")

    def send(self, sink: socket.socket, now: float) -> None:
        """Hand on what is due, as far as the sink takes it. Raises OSError."""
        while self.pieces and self.pieces[0][0] <= now:
            due, piece = self.pieces[0]
            try:
                sent = sink.send(piece)
            except BlockingIOError:
                return
            self.size -= sent
            if sent < len(piece):
                self.pieces[0] = (due, piece[sent:])
                return
            self.pieces.popleft()
        if self.ended and not self.pieces and not self.shut:
            self.shut = True
            with suppress(OSError):
                sink.shutdown(socket.SHUT_WR)


class Passage:
    """A client's connection and ours to where the route leads; `over` is called when it is closed."""

    def __init__(
        self,
        host: Host,
        selector: selectors.BaseSelector,
        client: socket.socket,
        *,
        over: Callable[[Passage], None],
    ) -> None:
        self._host, self._selector, self._over = host, selector, over
        self._ends: list[socket.socket | None] = [client, None]
        self._masks = [0, 0]
        self._connecting = False
        self._flows = (Flow(UP), Flow(DOWN))
        _prepare(client)
        self.update()

    @property
    def dialled(self) -> bool:
        """Whether the other end was called."""
        return self._ends[1] is not None

    def dial(self, family: int, address: tuple[str, int]) -> None:
        """Call the other end."""
        server = socket.socket(family)
        _prepare(server)
        self._ends[1] = server
        self._connecting = True
        try:
            server.connect(address)
        except BlockingIOError:
            pass
        except OSError:
            self.close(reset=True)
            return
        self.update()

    def due(self) -> float:
        """When something of it is due."""
        if self._host.disturbance.blackhole or self._connecting or not self.dialled:
            return float("inf")
        return min(flow.due if not self._masks[1 - flow.direction] & WRITE else float("inf")
                   for flow in self._flows)  # fmt: skip

    def update(self) -> None:
        """Send what is due and listen for what matters now."""
        if self._ends[0] is None:
            return
        try:
            if not self._host.disturbance.blackhole and self.dialled and not self._connecting:
                self._send()
        except OSError:
            self.close(reset=True)
            return
        if all(flow.shut for flow in self._flows):
            self.close(reset=False)
            return
        for side in (0, 1):
            self._listen(side, self._wanted(side))

    def hurry(self) -> None:
        """Nothing is held back any more."""
        for flow in self._flows:
            flow.hurry(self._host.now())

    def close(self, *, reset: bool) -> None:
        """End both connections, with a reset or in good order."""
        for side in (0, 1):
            self._listen(side, 0)
        ends, self._ends = self._ends, [None, None]
        for end in ends:
            if end is not None:
                if reset:
                    with suppress(OSError):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()
        self._over(self)

    def _send(self) -> None:
        for flow in self._flows:
            sink = self._ends[1 - flow.direction]
            assert sink is not None  # noqa: S101 - the other end was called
            flow.send(sink, self._host.now())

    def _wanted(self, side: int) -> int:
        if self._ends[side] is None:
            return 0
        if side == 1 and self._connecting:
            return WRITE
        if self._host.disturbance.blackhole:
            return 0
        out, incoming = self._flows[side], self._flows[1 - side]
        mask = READ if self.dialled and not out.ended and out.size < ROOM else 0
        return mask | (WRITE if incoming.due <= self._host.now() and self.dialled else 0)

    def _listen(self, side: int, mask: int) -> None:
        end, before = self._ends[side], self._masks[side]
        if end is None or mask == before:
            return
        self._masks[side] = mask
        if not mask:
            self._selector.unregister(end)
        elif before:
            self._selector.modify(end, mask, self._act_for(side))
        else:
            self._selector.register(end, mask, self._act_for(side))

    def _act_for(self, side: int) -> Callable[[int], None]:
        return lambda events: self._act(side, events)

    def _act(self, side: int, events: int) -> None:
        end = self._ends[side]
        if end is None:
            return
        try:
            if side == 1 and self._connecting:
                self._connected(end)
            elif events & READ:
                self._read(side, end)
        except BlockingIOError:
            pass
        except OSError:
            self.close(reset=True)
            return
        self.update()

    def _connected(self, server: socket.socket) -> None:
        number = server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, "not connected")
        self._connecting = False

    def _read(self, side: int, end: socket.socket) -> None:
        flow, by = self._flows[side], self._host.disturbance
        piece = end.recv(by.piece)
        flow.ended = not piece  # an end is on its way as long as any other piece
        now = self._host.now()
        flow.add(piece, self._host.link.due(len(piece), flow.direction, now=now, by=by))


def _prepare(end: socket.socket) -> None:
    end.setblocking(False)
    with suppress(OSError):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
