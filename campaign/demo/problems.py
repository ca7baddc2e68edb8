"""The reasons for which a request is refused, each with its status and a code that programs can rely on.

Problem                       500  the tree's root
├── NotSignedInError          401  no token, or one that is not valid any more
├── ForbiddenError            403  signed in, but this needs something more (a password, say)
│   └── ConsentRequiredError  403  no current consent for this child
├── NotFoundError             404  not there, or not yours: the two are not told apart
├── ConflictError             409  it contradicts what is stored
├── TooLargeError             413  the body is larger than we read
├── InvalidError              422  understood, but not acceptable
├── TooManyRequestsError      429  over the limit; carries the seconds to wait
│   └── TooManyConversationsError 429  no slot for one more live conversation
├── UnavailableError          503  what is needed for this does not answer; nothing was stored
└── OutcomeUnknownError       504  the database went away in the middle: it may have been stored or not
"""

from typing import ClassVar


class Problem(Exception):  # noqa: N818 - the root is a noun, what is raised ends in Error
    """A refusal with a message for the caller, which never contains personal data."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s

    def document(self) -> dict[str, dict[str, str]]:
        """The JSON body every refused caller gets."""
        return {"error": {"code": self.code, "message": self.message}}


class NotSignedInError(Problem):
    """No token, or one that is not valid any more."""

    status = 401
    code = "not_signed_in"


class ForbiddenError(Problem):
    """Signed in, but not allowed this."""

    status = 403
    code = "forbidden"


class ConsentRequiredError(ForbiddenError):
    """Nothing may be collected for this child now."""

    code = "consent_required"

    def __init__(self) -> None:
        super().__init__("a parent's current consent to collection is required for this child")


class NotFoundError(Problem):
    """Not there, or not yours: telling the two apart would tell a stranger what exists."""

    status = 404
    code = "not_found"


class ConflictError(Problem):
    """It contradicts what is stored."""

    status = 409
    code = "conflict"


class TooLargeError(Problem):
    """The body is larger than we read."""

    status = 413
    code = "too_large"


class InvalidError(Problem):
    """Understood, but not acceptable."""

    status = 422
    code = "invalid"


class TooManyRequestsError(Problem):
    """Over the limit for now."""

    status = 429
    code = "too_many_requests"


class TooManyConversationsError(TooManyRequestsError):
    """There is no slot for one more live conversation; `whose` are taken is "you" or "everybody"."""

    code = "too_many_conversations"

    def __init__(self, whose: str, *, retry_after_s: int) -> None:
        holder = "you have" if whose == "you" else "there are"
        super().__init__(f"{holder} too many live conversations now", retry_after_s=retry_after_s)


class UnavailableError(Problem):
    """The database does not answer or has no connection left, or the companion does not answer."""

    status = 503
    code = "unavailable"


class OutcomeUnknownError(Problem):
    """The database went away while it stored something: nobody knows whether it did."""

    status = 504
    code = "outcome_unknown"
