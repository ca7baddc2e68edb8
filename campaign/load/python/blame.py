"""An exception of a user's code in one line: what it is, and in which line of whose file."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

LONGEST = 120
"""Characters of a message."""

_READ = 20 * LONGEST

_OURS = str(Path(__file__).parents[2])


def told(error: BaseException, redact: Callable[[str], str] = str) -> str:
    """`KeyError: 'safe' (my_users.py:12)`; its message is masked before it is cut, or half a secret stays.

    Only the type, where the exception itself fails to say more.
    """
    try:
        return _told(error, redact)
    except BaseException:  # noqa: BLE001 - a user's `__str__` may raise anything, too
        return type(error).__name__


def _told(error: BaseException, redact: Callable[[str], str]) -> str:
    message = redact(next(iter(str(error).strip().splitlines()), "")[:_READ])[:LONGEST]
    named = f"{type(error).__name__}: {message}" if message else type(error).__name__
    place = where(error)
    return f"{named} ({place})" if place else named


def where(error: BaseException) -> str:
    """File and line of the user's own code, as far down as it goes; "" where none is known."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_OURS, "<"))
    ]
    own = [frame for frame in frames if not _is_foreign(frame.filename)]
    return next((f"{Path(each.filename).name}:{each.lineno}" for each in reversed(own or frames)), "")


def _is_foreign(filename: str) -> bool:
    """Whether a file belongs to Python or to an installed library, not to the user."""
    return "site-packages" in filename or filename.startswith(str(Path(traceback.__file__).parent))
