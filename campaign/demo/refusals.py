"""How each kind of refusal is answered: one JSON shape, and nothing of our insides or the caller's words."""

from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from starlette.exceptions import HTTPException

from campaign.demo.problems import ConflictError, InvalidError, NotSignedInError, Problem, UnavailableError

DATABASE_REFUSALS = (DataError, IntegrityError, OperationalError, NoConnectionError)
REFUSALS = (Problem, RequestValidationError, HTTPException, *DATABASE_REFUSALS)
"""The exceptions that `answer_to` knows; anything else is a crash."""

CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def answer_to(error: Exception) -> JSONResponse:
    """The response for one of REFUSALS."""
    if isinstance(error, HTTPException):
        code = CODES.get(error.status_code, "refused")
        body = {"error": {"code": code, "message": error.detail}}
        return JSONResponse(body, error.status_code, headers=error.headers)
    problem = problem_of(error)
    return JSONResponse(problem.document(), problem.status, headers=_headers(problem))


def problem_of(error: Exception) -> Problem:
    """The refusal as one of our own, also where it was the database that refused."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return InvalidError(_explain(error))
    if isinstance(error, DataError):
        return InvalidError("a value cannot be stored")
    if isinstance(error, IntegrityError):
        return ConflictError("this contradicts what is stored; it may have been deleted meanwhile")
    return UnavailableError("the database does not answer now, please try again", retry_after_s=1)


def _explain(error: RequestValidationError) -> str:
    # Where and what, but never the value itself: it may be a child's words.
    places = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return "; ".join(places)


def _headers(problem: Problem) -> Mapping[str, str]:
    headers = {}
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
    if isinstance(problem, NotSignedInError):
        headers["www-authenticate"] = "Bearer"
    return headers
