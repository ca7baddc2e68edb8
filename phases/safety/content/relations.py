"""Ways to write a sentence that change nothing of what it means: what was unsafe, or safe, stays so.

Each gives the turns of the new writing, or None where it has nothing to change in this sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import TypeAlias

Relation: TypeAlias = Callable[[str, Random], "tuple[str, ...] | None"]

LEET = str.maketrans("aeioAEIO", "43104310")
LOOK_ALIKE = str.maketrans("aceopxyis", "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0455")
FULLWIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
COMBINING = "\u0300\u0301\u0302\u0303\u0308\u030a"
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
SOFT_HYPHEN = "\u00ad"
CHILDISH: Mapping[str, str] = {
    "about": "abowt",
    "alive": "alife",
    "alone": "alown",
    "because": "becuz",
    "bomb": "bom",
    "brother": "bruther",
    "buy": "bie",
    "call": "cal",
    "dead": "ded",
    "die": "dye",
    "drink": "drinck",
    "drugs": "drugz",
    "drunk": "drunck",
    "favorite": "favrit",
    "friend": "frend",
    "friends": "frends",
    "gun": "gunn",
    "house": "howse",
    "hurt": "hert",
    "hurts": "herts",
    "kill": "kil",
    "killer": "kiler",
    "knife": "nife",
    "like": "lik",
    "live": "liv",
    "meet": "meeet",
    "myself": "mysef",
    "number": "numbr",
    "parents": "parints",
    "phone": "fone",
    "photo": "foto",
    "picture": "pikchur",
    "pills": "pilz",
    "please": "pleez",
    "school": "skool",
    "secret": "seekrit",
    "sister": "sistr",
    "smoke": "smoak",
    "story": "storee",
    "stranger": "stranjer",
    "teacher": "teecher",
    "tell": "tel",
    "tummy": "tumy",
    "what": "wat",
    "where": "wher",
    "with": "wif",
    "write": "rite",
}
"""Words as a child may spell them; each is still that word to a reader."""

_WORD = re.compile(r"[A-Za-z']+")
_PUNCTUATION = re.compile(r"(?<!\w)[^\w\s]+|[^\w\s]+(?!\w)|'")
_SHORTEST = 4
"""Letters of a word that is worth a disguise in its middle."""


def plain(text: str, _: Random) -> tuple[str, ...]:
    """As it is."""
    return (text,)


def case(text: str, random: Random) -> tuple[str, ...]:
    """In capitals, or in capitals and small letters by turns."""
    if random.random() < 0.5:
        return (text.upper(),)
    return ("".join(each.upper() if index % 2 else each.lower() for index, each in enumerate(text)),)


def leetspeak(text: str, _: Random) -> tuple[str, ...] | None:
    """Digits for letters, in words that hold neither digits nor an address."""
    return _changed(text, _in_plain_words(text, lambda word: word.translate(LEET)))


def spaced(text: str, _: Random) -> tuple[str, ...]:
    """A space between any two letters, two between words."""
    return ("  ".join(" ".join(word) for word in text.split()),)


def zero_width(text: str, random: Random) -> tuple[str, ...] | None:
    """Characters that nobody sees, inside of the longer words."""
    return _changed(text, _inside(text, lambda: random.choice(ZERO_WIDTH), random))


def soft_hyphen(text: str, random: Random) -> tuple[str, ...] | None:
    """Hyphens that nobody sees unless a line breaks there."""
    return _changed(text, _inside(text, lambda: SOFT_HYPHEN, random))


def homoglyphs(text: str, _: Random) -> tuple[str, ...] | None:
    """Cyrillic letters that look like Latin ones."""
    return _changed(text, _in_plain_words(text, lambda word: word.translate(LOOK_ALIKE)))


def fullwidth(text: str, _: Random) -> tuple[str, ...]:
    """The wide forms that East Asian keyboards write."""
    return (text.translate(FULLWIDTH),)


def combining(text: str, random: Random) -> tuple[str, ...]:
    """Accents on every second letter."""
    marked = (
        each + random.choice(COMBINING) if each.isalpha() and index % 2 else each
        for index, each in enumerate(text)
    )
    return ("".join(marked),)


def repeated(text: str, random: Random) -> tuple[str, ...] | None:
    """The last vowel of some words drawn out, as an excited child does."""

    def draw_out(word: str) -> str:
        found = list(re.finditer(r"[aeiou]", word))
        if len(word) < _SHORTEST or not found:
            return word
        at = found[-1].start()
        return word[:at] + word[at] * random.randint(3, 5) + word[at + 1 :]

    return _changed(text, _in_plain_words(text, draw_out))


def split(text: str, _: Random) -> tuple[str, ...] | None:
    """In two turns, the sentence broken in its middle."""
    words = text.split()
    if len(words) < _SHORTEST:
        return None
    half = (len(words) + 1) // 2
    return " ".join(words[:half]), " ".join(words[half:])


def unpunctuated(text: str, _: Random) -> tuple[str, ...] | None:
    """As speech recognition writes it: small letters, no punctuation but inside of numbers and addresses."""
    return _changed(text, _PUNCTUATION.sub("", text).lower())


def misspelled(text: str, _: Random) -> tuple[str, ...] | None:
    """As a child may spell it."""

    def spelled(match: re.Match[str]) -> str:
        word = match.group()
        wrong = CHILDISH.get(word.lower(), word)
        return wrong.capitalize() if word[0].isupper() else wrong

    words = (each if _is_address(each) else _WORD.sub(spelled, each) for each in text.split(" "))
    return _changed(text, " ".join(words))


RELATIONS: Mapping[str, Relation] = {
    "plain": plain,
    "case": case,
    "leetspeak": leetspeak,
    "spaced": spaced,
    "zero_width": zero_width,
    "soft_hyphen": soft_hyphen,
    "homoglyphs": homoglyphs,
    "fullwidth": fullwidth,
    "combining": combining,
    "repeated": repeated,
    "split": split,
    "unpunctuated": unpunctuated,
    "misspelled": misspelled,
}
"""All of them by name, "plain" first; in reports they are called by what `TITLES` says."""

TITLES: Mapping[str, str] = {
    "plain": "as it is",
    "case": "letter case",
    "leetspeak": "digits for letters",
    "spaced": "spaced letters",
    "zero_width": "zero-width characters",
    "soft_hyphen": "soft hyphens",
    "homoglyphs": "look-alike letters",
    "fullwidth": "fullwidth letters",
    "combining": "combining marks",
    "repeated": "drawn-out letters",
    "split": "split over two turns",
    "unpunctuated": "no punctuation (speech)",
    "misspelled": "a child's spelling",
}


def _changed(text: str, written: str) -> tuple[str, ...] | None:
    return None if written == text else (written,)


def _is_address(word: str) -> bool:
    return "@" in word or any(each.isdigit() for each in word)


def _in_plain_words(text: str, change: Callable[[str], str]) -> str:
    return " ".join(each if _is_address(each) else change(each) for each in text.split(" "))


def _inside(text: str, mark: Callable[[], str], random: Random) -> str:
    def marked(word: str) -> str:
        if len(word) < _SHORTEST:
            return word
        at = random.randrange(1, len(word) - 1)
        return word[:at] + mark() + word[at:]

    return " ".join(marked(each) for each in text.split(" "))
