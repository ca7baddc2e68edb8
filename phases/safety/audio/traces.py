"""Where recordings are left: in the stores, and in folders of this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from phases.safety.audio.recording import Recording
from phases.safety.scene import Scene
from phases.safety.stores import Place, Search, search

MOST_FILES = 20_000
LARGEST = 64 * 2**20
GRAIN = 2.0
"""Files that are looked into, and the bytes of each; what is beyond was not looked at, and is said. GRAIN:
seconds that the time of a file may be off.
"""


async def find(scene: Scene, recording: Recording, folders: Iterable[str], *, since: float) -> Search:
    """Every place that holds the recording or a piece of it; `since` is when it was sent (s since 1970)."""
    stored = await search(scene.server, scene.redis, recording.traces)
    places, unread = await asyncio.to_thread(in_folders, tuple(folders), recording, since=since)
    return Search((*stored.places, *places), (*stored.unread, *unread))


def in_folders(
    folders: tuple[str, ...], recording: Recording, *, since: float
) -> tuple[list[Place], list[str]]:
    """The files that hold it, or are as long and not older, and what could not be looked at. Blocks."""
    wanted = [each.encode() for each in recording.traces]
    places: list[Place] = []
    unread: list[str] = []
    for folder in folders:
        if not Path(folder).is_dir():
            unread.append(f"{folder} is no folder of this machine")
            continue
        for count, path in enumerate(_files(folder, unread)):
            if count >= MOST_FILES:
                unread.append(f"{folder} has more than {MOST_FILES:,} files")
                break
            content = _content(path, unread)
            as_long = len(content) == len(recording.content) and _changed(path) >= since - GRAIN
            if as_long or any(word in content for word in wanted):
                places.append(Place("folder", str(path)))
    return places, unread


def _files(folder: str, unread: list[str]) -> Iterator[Path]:
    def refused(error: OSError) -> None:
        unread.append(f"{error.filename}: {error.strerror}")

    for place, _, names in os.walk(folder, onerror=refused):
        yield from (Path(place) / name for name in names)


def _content(path: Path, unread: list[str]) -> bytes:
    """What a file holds; one that has just gone holds nothing."""
    try:
        if not path.is_file():
            return b""
        if path.stat().st_size > LARGEST:
            unread.append(f"{path} is larger than {LARGEST // 2**20} MiB")
            return b""
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        unread.append(f"{path}: {error.strerror}")
        return b""


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
