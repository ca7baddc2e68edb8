"""Made-up people and sentences, the same for the same seed, with addresses and numbers that reach nobody.

E-mail addresses end in example.com (RFC 2606) and phone numbers in 555-0100 to 555-0199 (kept for fiction).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from random import Random
from uuid import UUID

_FIRST = (
    "Ada", "Amir", "Anna", "Ben", "Carla", "Chen", "Dana", "Elif", "Emil", "Farah", "Finn", "Grace",
    "Hana", "Ivan", "Jonas", "Kofi", "Lena", "Leo", "Layla", "Maya", "Mateo", "Nadia", "Noor", "Omar",
    "Priya", "Rosa", "Samir", "Sofia", "Tariq", "Yuki",
)  # fmt: skip
_LAST = (
    "Abadi", "Baker", "Berg", "Castro", "Diaz", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jensen",
    "Khan", "Larsen", "Mendez", "Novak", "Okafor", "Patel", "Quinn", "Rossi", "Sato", "Silva", "Tanaka",
    "Usman", "Vega", "Weber", "Yilmaz",
)  # fmt: skip
_CHILDREN = (
    "Ari", "Bella", "Coco", "Dario", "Eli", "Fay", "Gus", "Hugo", "Ida", "Jojo", "Kiki", "Lulu", "Milo",
    "Nina", "Otto", "Pip", "Rumi", "Suri", "Tim", "Zoe",
)  # fmt: skip
_CITIES = (
    "Accra", "Amman", "Bergen", "Bogota", "Cairo", "Dakar", "Dublin", "Hanoi", "Izmir", "Kyoto", "Lima",
    "Lyon", "Malmo", "Nairobi", "Oslo", "Porto", "Quito", "Riga", "Sofia", "Tunis", "Turin", "Valencia",
)  # fmt: skip
_WHO = (
    "a small bear", "the brave turtle", "my best friend", "a sleepy dragon", "the moon", "a tiny robot",
    "the old lighthouse", "a singing whale",
)  # fmt: skip
_DOES = ("finds", "builds", "paints", "looks for", "shares", "hides", "carries", "dreams of")
_WHAT = (
    "a red kite", "seven shiny shells", "a house of leaves", "the last cookie", "a secret garden",
    "a very long song", "a map of the stars", "warm blueberry soup",
)  # fmt: skip
_WORDS = (
    "acorn", "basket", "candle", "drizzle", "ember", "feather", "garden", "harbor", "island", "jigsaw",
    "kettle", "lantern", "meadow", "nutmeg", "orchard", "pebble", "quilt", "river", "saddle", "thimble",
    "umbrella", "violin", "willow", "yonder", "zephyr",
)  # fmt: skip
_AREAS = (202, 303, 404, 505, 606, 707, 808, 909)
_YOUNGEST, _OLDEST = 4, 11


class Fake:
    """One user's source of made-up data; `tag` tells the addresses of different seeds and users apart."""

    __slots__ = ("_emails", "_random", "_tag")

    def __init__(self, random: Random, *, tag: str) -> None:
        self._random = random
        self._tag = tag
        self._emails = 0

    def email(self) -> str:
        """An address that no other user, seed or call gives."""
        self._emails += 1
        first, last = self.first_name().lower(), self.last_name().lower()
        return f"{first}.{last}.{self._tag}.{self._emails}@example.com"

    def first_name(self) -> str:
        """An adult's first name."""
        return self._random.choice(_FIRST)

    def last_name(self) -> str:
        """A family name."""
        return self._random.choice(_LAST)

    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name()} {self.last_name()}"

    def child_name(self) -> str:
        """A child's first name."""
        return self._random.choice(_CHILDREN)

    def birth_year(self) -> int:
        """The year in which somebody was born who is 4 to 11 now."""
        return time.gmtime().tm_year - self._random.randint(_YOUNGEST, _OLDEST)

    def password(self) -> str:
        """At least 12 characters with capitals, small letters, digits and a sign, to please most rules."""
        first, second = self._random.sample(_WORDS, 2)
        return f"{first.capitalize()}-{second}-{self._random.randrange(1000, 10000)}"

    def phone(self) -> str:
        """A North American number that is kept for fiction."""
        return f"+1-{self._random.choice(_AREAS)}-555-01{self._random.randrange(100):02d}"

    def city(self) -> str:
        """The name of a city."""
        return self._random.choice(_CITIES)

    def word(self) -> str:
        """One English noun."""
        return self._random.choice(_WORDS)

    def sentence(self) -> str:
        """One short sentence, such as a child might say to a toy."""
        choice = self._random.choice
        return f"Tell me how {choice(_WHO)} {choice(_DOES)} {choice(_WHAT)}."

    def uuid(self) -> str:
        """A random UUID (version 4)."""
        return str(UUID(int=self._random.getrandbits(128), version=4))


FAKES: Mapping[str, Callable[[Fake], object]] = {
    method.__name__: method
    for method in (
        Fake.email, Fake.first_name, Fake.last_name, Fake.name, Fake.child_name, Fake.birth_year,
        Fake.password, Fake.phone, Fake.city, Fake.word, Fake.sentence, Fake.uuid,
    )
}  # fmt: skip
"""What `fake.NAME` in a template may name."""
