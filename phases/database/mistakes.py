"""Mistakes of the campaign file in the words of its messages: what was found, allowed, and meant."""

from collections.abc import Callable, Collection

from pydantic_core import PydanticCustomError

from campaign.settings import unknown_name


def mistake(allowed: str, found: str) -> PydanticCustomError:
    """A mistake of the file: what was found and what is allowed."""
    return PydanticCustomError("mistake", "is {found}, not {allowed}", {"allowed": allowed, "found": found})


def known(kind: str, names: Collection[str]) -> Callable[[object], object]:
    """What lets one of the names and "" pass, and refuses all else as `kind` that is not defined."""

    def check(value: object) -> object:
        if not isinstance(value, str) or (value and value not in names):
            raise unknown_name(kind, names)
        return value

    return check
