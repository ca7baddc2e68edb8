"""Password hashes with scrypt (RFC 7914) from the standard library.

The cost is a setting and is stored with each hash, so it can be raised without losing old accounts. The
demo's default is far below what production needs (OWASP: N = 2**17): a campaign signs in a thousand
users at once and would otherwise measure scrypt.
"""

import hashlib
import hmac
import secrets

BLOCK_SIZE = 8
MAX_MEMORY_BYTES = 256 * 1024 * 1024


def hash_password(password: str, cost: int) -> str:
    """A new hash as text, `scrypt$cost$salt$key`; `cost` is log2 of scrypt's N."""
    salt = secrets.token_bytes(16)
    return f"scrypt${cost}${salt.hex()}${_key(password, cost=cost, salt=salt).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """True if `stored` was made from `password`; takes the same time either way."""
    _, cost, salt, key = stored.split("$")
    found = _key(password, cost=int(cost), salt=bytes.fromhex(salt))
    return hmac.compare_digest(found, bytes.fromhex(key))


def _key(password: str, *, cost: int, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=2**cost, r=BLOCK_SIZE, p=1, maxmem=MAX_MEMORY_BYTES, dklen=32
    )
