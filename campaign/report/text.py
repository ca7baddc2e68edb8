"""Text that came from elsewhere, made safe to show: nothing invisible, nothing that moves the cursor."""

from __future__ import annotations

import unicodedata

HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories nobody can see: controls, bidi and zero-width marks, surrogates, line separators."""


def visible(text: str) -> str:
    """The text on one line, with every control, bidi or invisible character written as its escape."""
    if text.isprintable():
        return text
    return "".join(_escape(each) if unicodedata.category(each) in HIDDEN else each for each in text)


def _escape(character: str) -> str:
    return " " if character in "\n\t" else character.encode("unicode_escape").decode()


def sentence(text: str) -> str:
    """The text with a capital first letter where it begins with a word, not with an address or a name."""
    first = text.partition(" ")[0].rstrip(",:;")
    return text[:1].upper() + text[1:] if first.isalpha() else text


def shortened(text: str, *, most: int = 100) -> str:
    """The text, or its first whole words up to `most` characters and an ellipsis."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return f"{head.rpartition(' ')[0] or head}…"


def readable(text: str) -> str:
    """The text with its lines kept, and every other character that hides or reorders text as its escape."""
    return "\n".join(visible(line) for line in text.split("\n")) if not text.isprintable() else text
