"""Tokens as an attacker sees them, and ids that can be foreseen: tables for the pure parts."""

import base64
import hashlib
import hmac
import json
import random
import uuid

import pytest

from phases.safety.probe import Answered
from phases.safety.sessions.assigned import pairs, shown
from phases.safety.sessions.entropy import bits_of, is_counted
from phases.safety.sessions.ids import judged
from phases.safety.sessions.shown import too_much
from phases.safety.sessions.tokens import broken, read_token, unsigned, weak_key, with_claims_of


def pack(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def made(claims, key, algorithm="HS256"):
    signed = ".".join(pack(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims))
    return f"{signed}.{pack(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


TOKEN = made({"sub": "ada"}, b"\x01" * 32)


@pytest.mark.parametrize(
    "text", ["", "a.b.c", "opaque", "..", TOKEN[:-60], f"{TOKEN}.more", pack(b"{}") + ".e30.x"]
)
def test_what_is_no_signed_token_is_not_read(text):
    assert read_token(text) is None


def test_a_token_is_read_and_changed_without_its_key():
    token, other = read_token(TOKEN), read_token(made({"sub": "ben"}, b"\x02" * 32))
    assert token.claims == {"sub": "ada"}
    mixed = read_token(with_claims_of(token, other))
    assert mixed.claims == {"sub": "ben"}
    assert mixed.parts[2] == token.parts[2]
    without = [read_token(each) for each in unsigned(token)]
    assert {each.parts[2] for each in without} == {""}
    assert {each.claims["sub"] for each in without} == {"ada"}
    assert len({each.algorithm for each in without}) == 4


@pytest.mark.parametrize(("key", "found"), [(b"secret", "secret"), (b"", ""), (b"\x01" * 32, None)])
def test_a_key_that_everybody_tries_is_found(key, found):
    assert weak_key(read_token(made({"sub": "ada"}, key))) == found


def test_a_key_that_is_not_shared_is_not_guessed():
    assert weak_key(read_token(made({"sub": "ada"}, b"secret", "RS256"))) is None


@pytest.mark.parametrize("token", [TOKEN, "Zm9vYmFyYmF6cXV4", "ab"])
def test_what_is_broken_is_never_the_token(token):
    assert token not in [text for _, text in broken(token)]


LUCK = random.Random(7)
IDS = {
    "base64url of 96 bits": ([pack(LUCK.randbytes(12)) for _ in range(16)], True),
    "base64url of 256 bits": ([pack(LUCK.randbytes(32)) for _ in range(16)], True),
    "uuid4": ([str(uuid.UUID(int=LUCK.getrandbits(128), version=4)) for _ in range(8)], True),
    "ulid": (
        ["01HZX3K9QW" + "".join(LUCK.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=16)) for _ in range(8)],
        True,
    ),
    "64 bits in hex": ([LUCK.randbytes(8).hex() for _ in range(16)], True),
    "32 bits in hex": ([LUCK.randbytes(4).hex() for _ in range(16)], False),
    "a counter": ([str(1_000 + each) for each in range(16)], False),
    "a counter over 1,000,000": ([str(999_990 + each) for each in range(16)], False),
    "a counter after a word": ([f"child_{each}" for each in range(95, 111)], False),
    "a counter in hex": ([f"{0xFFF0 + each:024x}" for each in range(16)], False),
    "milliseconds": ([str(1_790_000_000_000 + 7_919 * each) for each in range(16)], False),
    "seven digits": ([str(LUCK.randrange(10**6, 10**7)) for _ in range(16)], False),
    "the same": (["abcdefghijklmnop" + "x" * 20] * 16, False),
}


@pytest.mark.parametrize("name", IDS)
def test_ids_that_can_be_foreseen_are_told_from_those_that_cannot(name):
    ids, good = IDS[name]
    probe = judged("session_id", ids, bits=64)
    assert (probe.answered is Answered.PASSED) == good, probe.said


def test_random_ids_are_never_accused():
    for seed in range(300):
        luck = random.Random(seed)
        for ids in (
            [luck.randbytes(16).hex() for _ in range(8)],
            [pack(luck.randbytes(12)) for _ in range(8)],
        ):
            assert bits_of(ids) >= 64
            assert not is_counted(ids)


@pytest.mark.parametrize(
    ("names", "allowed", "wrong"),
    [
        (["id", "name"], [], []),
        (["id", "passwordHash", "password_hash", "salt"], [], ["passwordHash", "password_hash", "salt"]),
        (["id", "email"], ["id"], ["email"]),
        (["compass", "pinned", "saltwater"], [], []),
        (["id", "secret"], ["id", "secret"], ["secret"]),
    ],
)
def test_fields_that_answers_must_not_have(names, allowed, wrong):
    assert too_much(names, allowed) == wrong


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (b'{"role": "admin"}', True),
        (b'{"user": [{"role": "admin"}]}', True),
        (b'{"role": "parent", "text": "admin"}', False),
        (b"role admin", False),
        (b'{"note": "{\\"role\\": \\"admin\\"}"}', False),
    ],
)
def test_a_field_is_seen_with_its_value_alone(body, seen):
    assert shown(body, "role", "admin") == seen


def test_one_is_not_true():
    assert not shown(b'{"is_admin": 1}', "is_admin", True)
    assert shown(b'{"is_admin": true}', "is_admin", True)
    assert len(list(pairs({"a": [{"b": 1}, {"c": {"d": 2}}]}))) == 4
