"""Signed tokens (RFC 7519, HMAC-SHA-256), for what must be checked without having been stored.

The algorithm is ours and not the token's: whatever its header says, the signature is computed and compared
(RFC 8725, section 3.1).
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from typing import Any

HEADER = {"alg": "HS256", "typ": "JWT"}
PARTS = 3


def sign(claims: dict[str, Any], key: bytes) -> str:
    """The token with these claims."""
    signed = f"{_packed(_json(HEADER))}.{_packed(_json(claims))}"
    return f"{signed}.{_packed(_signature(signed, key))}"


def claims_of(token: str) -> dict[str, Any] | None:
    """What a token claims, believed by nobody yet; None where it is no such token."""
    parts = token.split(".")
    return _unpacked(parts[1]) if len(parts) == PARTS and _unpacked(parts[0]) is not None else None


def is_signed(token: str, key: bytes, *, by_its_header: bool = False) -> bool:
    """Whether the token was signed with this key; the defect `token-alg-none` asks the token itself how."""
    signed, _, signature = token.rpartition(".")
    header = _unpacked(token.partition(".")[0]) or {}
    if by_its_header and str(header.get("alg", "")).lower() == "none":
        return True
    return hmac.compare_digest(signature.encode(), _packed(_signature(signed, key)).encode())


def _signature(signed: str, key: bytes) -> bytes:
    return hmac.new(key, signed.encode(), hashlib.sha256).digest()


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _packed(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpacked(part: str) -> dict[str, Any] | None:
    try:
        found = json.loads(urlsafe_b64decode(part.encode() + b"=" * (-len(part) % 4)))
    except (NotBase64Error, ValueError):
        return None
    return found if isinstance(found, dict) else None
