"""Recordings that occur once: of a length of their own, with a word in them that is looked for."""

from __future__ import annotations

import struct
from base64 import b64encode
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from campaign.errors import ConfigurationError
from campaign.target.request import Request
from campaign.target.spec import BodySpec

RATE = 8_000
"""Samples a second of a recording of ours: 8 bits each, one channel."""

SOUND = 2_000
REPEATED = 12
"""Samples of the sound itself, and how often the word follows it."""

PLACE = "audio"
"""The name in templates that stands for a recording of ours."""

FILLED = "campaign-recording-goes-here"
"""What the template gives; the recording takes its place in the body, as its bytes are no text."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The bytes of a recording, and the word that it alone holds."""

    content: bytes
    word: str

    @property
    def traces(self) -> tuple[str, ...]:
        """How the word may be stored: as it is, as hex digits, in base64 of any alignment."""
        return (self.word, self.word.encode().hex(), *(_packed(self.word, before) for before in range(3)))


class NoRecordingError(ConfigurationError):
    """The upload has no part that could hold a recording."""

    slug = "no-recording"


def base_of(body: BodySpec) -> tuple[bytes, bytes]:
    """What stands in the body for the recording, and the sound that ours begin with.

    Raises NoRecordingError.
    """
    for part in body.multipart:
        if part.file:
            try:
                content = Path(part.file).read_bytes()
            except OSError as error:
                raise NoRecordingError(f"{part.file} cannot be read: {error.strerror}") from error
            return content, content
        if PLACE in part.text and "{{" in part.text:
            return FILLED.encode(), wav(bytes(128 + (place % 16) for place in range(SOUND)))
    raise NoRecordingError("the upload has no part with a file, and none with {{ audio }}")


def once(base: bytes, word: str, *, random: Random) -> Recording:
    """The sound with the word after it, so often and a few bytes more that no other is as long."""
    tail = word.encode() * REPEATED + b"~" * random.randint(1, 400)
    if base[:4] == b"RIFF" and base[8:12] == b"WAVE":
        return Recording(_longer(base, tail), word)
    return Recording(base + tail, word)


def wav(samples: bytes) -> bytes:
    """A WAV file of these samples."""
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE, 1, 8)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(head) + len(data), b"WAVE") + head + data


def put_in(request: Request, place: bytes, content: bytes) -> Request:
    """The request with the content where the place is. Raises NoRecordingError where it is nowhere."""
    if place not in request.body:
        raise NoRecordingError("the recording is not in the body of the upload")
    body = request.body.replace(place, content, 1)
    old, new = (b"Content-Length: %d\r\n" % len(each) for each in (request.body, body))
    return replace(request, head=request.head.replace(old, new), body=body)


def _longer(base: bytes, tail: bytes) -> bytes:
    """The WAV file with more samples at its end, whichever chunks it has (those after the sound are lost)."""
    at = 12
    while at + 8 <= len(base):
        name, size = struct.unpack_from("<4sI", base, at)
        if name == b"data":
            sound = base[at + 8 : at + 8 + size] + tail
            sound += b"\0" * (len(sound) % 2)
            rest = base[12:at] + struct.pack("<4sI", b"data", len(sound)) + sound
            return struct.pack("<4sI4s", b"RIFF", 4 + len(rest), b"WAVE") + rest
        at += 8 + size + size % 2
    return base + tail


def _packed(word: str, before: int) -> str:
    """The letters of base64 that depend on the word alone, with so many bytes before it in a group."""
    packed = b64encode(b"\0" * before + word.encode()).decode()
    first, whole = (0, 2, 3)[before], (before + len(word)) * 8 // 6
    return packed[first:whole]
