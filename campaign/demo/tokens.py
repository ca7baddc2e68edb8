"""Unguessable identifiers and tokens."""

import hashlib
import hmac
import secrets


def new_id() -> str:
    """A random identifier of 96 bits in 16 URL-safe characters: knowing one tells nothing about others."""
    return secrets.token_urlsafe(12)


def new_token() -> str:
    """A random bearer token of 256 bits."""
    return secrets.token_urlsafe(32)


def digest(token: str, key: bytes = b"") -> str:
    """What is stored in place of a token: its SHA-256 in hex, keyed if there is a key.

    A token is already 256 random bits, so a slow password hash would add nothing.
    """
    if key:
        return hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
    return hashlib.sha256(token.encode()).hexdigest()
