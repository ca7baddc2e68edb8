"""A mistake of the campaign file in the words of its messages."""

from pydantic_core import PydanticCustomError


def mistake(allowed: str, found: str) -> PydanticCustomError:
    """A mistake of the file: what was found and what is allowed."""
    return PydanticCustomError("mistake", "is {found}, not {allowed}", {"allowed": allowed, "found": found})
