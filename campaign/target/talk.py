"""What is said over a WebSocket, compiled: the messages, and what their replies must contain."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from campaign.errors import ConfigurationError
from campaign.target.scope import Scope
from campaign.target.spec import SocketSpec
from campaign.target.template import compile_json, compile_text

SWITCHED = 101
"""The status of an upgrade that was granted."""


@dataclass(frozen=True, slots=True)
class SocketScript:
    """`messages` times `message(scope)` is sent, `pause` seconds apart, and answered by what contains
    `reply(scope)`; then the socket stays open for `stay` seconds.
    """

    message: Callable[[Scope], bytes]
    reply: Callable[[Scope], str]
    messages: int
    pause: float
    stay: float


def compile_script(spec: SocketSpec, known: Collection[str] | None = None) -> SocketScript:
    """The script that `spec` describes; with nothing to send it only listens.

    Raises TemplateError, and ConfigurationError where `send` and `json` are both there.
    """
    if spec.has_json and spec.send:
        raise ConfigurationError("a WebSocket message is either send or json")
    return SocketScript(
        _message(spec, known),
        compile_text(spec.reply, known).render,
        messages=spec.messages if spec.has_json or spec.send else 0,
        pause=spec.pause,
        stay=spec.stay,
    )


def _message(spec: SocketSpec, known: Collection[str] | None) -> Callable[[Scope], bytes]:
    if spec.has_json:
        return compile_json(spec.json, known).render
    render = compile_text(spec.send, known).render
    return lambda scope: render(scope).encode("utf-8", "replace")
