"""Signed tokens as an attacker sees them (RFC 7519, RFC 8725): read, changed without the key, and keys that
are guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PARTS = 3

NONE = ("none", "None", "NONE", "nOnE")
"""Ways to write that there is no signature, as libraries have compared them."""

WEAK = (
    "", "secret", "Secret", "password", "123456", "changeme", "change-me", "change_me", "admin", "test",
    "jwt", "jwt_secret", "jwt-secret", "JWT_SECRET", "secretkey", "secret_key", "secret-key", "SECRET_KEY",
    "your-secret-key", "your_secret_key", "your-256-bit-secret", "your-secret-key-here", "mysecret",
    "my-secret-key", "supersecret", "super-secret", "supersecretkey", "super-secret-key", "default", "dev",
    "development", "private", "qwerty", "letmein", "insecure", "token", "signingkey", "hmac", "key", "teddy",
    "django-insecure", "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
)  # fmt: skip
"""Keys from examples and first drafts; the last is the one in FastAPI's tutorial."""

HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed token in its three parts, and what the first two say."""

    header: dict[str, Any]
    claims: dict[str, Any]
    parts: tuple[str, str, str]

    @property
    def algorithm(self) -> str:
        """How it says it is signed."""
        return str(self.header.get("alg", ""))


def read_token(token: str) -> Signed | None:
    """The token's parts; None where it is not signed in this way."""
    parts = token.split(".")
    if len(parts) != PARTS:
        return None
    header, claims = _unpacked(parts[0]), _unpacked(parts[1])
    if header is None or claims is None or "alg" not in header:
        return None
    return Signed(header, claims, (parts[0], parts[1], parts[2]))


def unsigned(token: Signed) -> Iterator[str]:
    """The same claims without a signature, in the ways in which that can be written."""
    for name in NONE:
        header = {**token.header, "alg": name}
        yield f"{_packed(_json(header))}.{token.parts[1]}."


def with_claims_of(token: Signed, other: Signed) -> str:
    """What another's token claims, under the signature of this one."""
    return f"{token.parts[0]}.{other.parts[1]}.{token.parts[2]}"


def weak_key(token: Signed) -> str | None:
    """The key that it was signed with, where that is one that everybody tries first. Nothing is sent."""
    made = HASHES.get(token.algorithm)
    if made is None:
        return None
    signed = f"{token.parts[0]}.{token.parts[1]}".encode()
    return next(
        (key for key in WEAK if _packed(hmac.new(key.encode(), signed, made).digest()) == token.parts[2]),
        None,
    )


def broken(token: str) -> Iterator[tuple[str, str]]:
    """What is no token (a name and the text): nonsense, and the token with a part of it changed or gone."""
    yield "nonsense", "campaign-nonsense"
    yield "null", "null"
    yield "undefined", "undefined"
    yield "its first half", token[: len(token) // 2]
    yield "one character changed", _changed(token)
    if read_token(token):
        yield "its signature left out", token.rpartition(".")[0] + "."


def _changed(token: str) -> str:
    """One character in the middle of the last part: the very last one may hold bits that mean nothing."""
    place = len(token) - max(2, len(token.rpartition(".")[2]) // 2)
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _packed(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpacked(part: str) -> dict[str, Any] | None:
    try:
        found = json.loads(urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4)))
    except (NotBase64Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
