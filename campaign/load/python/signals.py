"""What ends a task from within and is no error: it passes through `except Exception` of a user's code."""

from __future__ import annotations

from campaign.target.feeds import FeedExhaustedError


class Departure(BaseException):
    """The user's time is over; nothing new is begun."""


class Exhausted(BaseException):
    """The user has no data left, which was counted already."""

    def __init__(self, error: FeedExhaustedError) -> None:
        super().__init__(str(error))
        self.error = error


class Broken(BaseException):
    """The generator itself is defective: no fault of the user's code, and the end of the run."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error
