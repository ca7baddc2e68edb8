"""Finds what a small child should neither say to a toy nor hear from it.

The text is first undisguised (letter case, width, accents, look-alike letters, digits for letters,
spaced-out and repeated letters, invisible characters), then one compiled pattern per category looks for
whole words. The list is short and mild on purpose: it shows how such a filter works, it is no product.
"""

import re
import unicodedata

DIGITS_FOR_LETTERS = str.maketrans("013457@$", "oieastas")
LOOK_ALIKES = str.maketrans("авекмнорстухіѕјԁαεικνορτυχ", "abekmhopctyxisjdaeikvoptux")
INVISIBLE = {"Cf", "Mn"}
"""Unicode categories: zero-width and soft-hyphen characters, combining marks."""

SPACED_LETTERS = re.compile(r"\b(?:\w ){2,}\w\b")
REPEATED = re.compile(r"(.)\1{2,}")
MARK_FOR_I = re.compile(r"[!|](?=\w)")
NO_LETTER = re.compile(r"[^\w\s]|_")

CATEGORIES: dict[str, tuple[str, ...]] = {
    "violence": (
        r"(?:kill|stab|shoot|murder|strangle|hurt) (?:him|her|them|you|me|someone|somebody|people|my \w+)",
        r"(?:make|build|get|buy) an? (?:bomb|gun|knife|weapon)",
        r"blow up (?:the|my|a) \w+",
    ),
    "self_harm": (
        r"(?:hurt|harm|kill|cut) myself",
        r"(?:want|wish) (?:to die|i was dead|i were dead)",
        r"suicide",
    ),
    "drugs": (
        r"(?:take|smoke|buy|get|try|drink) (?:some )?(?:drugs|weed|cigarettes|vodka|beer|alcohol|cocaine)",
    ),
    "stranger": (
        r"meet (?:me|you|him|her) (?:alone|in secret|after dark|in real life)",
        r"(?:come|go) (?:alone )?with (?:a|the) stranger",
        r"send (?:me|you|him|her) (?:a )?(?:photo|picture)s? of (?:me|you|your|my)\w*",
    ),
    "secrets": (
        r"(?:do not|dont|don t|never) tell (?:your|my|the) (?:parents|mom|mum|dad|mother|father|teacher)",
    ),
    "insult": (r"(?:you are|youre|you re) (?:so )?(?:stupid|dumb|an idiot|ugly)", r"shut up"),
}
PERSONAL_DATA = re.compile(
    r"[\w.+-]+@[\w-]+\.\w{2,}"
    r"|(?<!\d)(?:\+?\d{1,2}[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4}(?!\d)"
    r"|(?<!\d)555[ .-]?\d{4}(?!\d)"
    r"|\bmy (?:home )?address is\b"
    r"|\bi live (?:at|in) (?:number )?\d+",
    re.IGNORECASE,
)
WHOLE_WORDS = {name: re.compile(rf"\b(?:{'|'.join(found)})\b") for name, found in CATEGORIES.items()}
RUN_TOGETHER = {name: re.compile("|".join(found).replace(" ", "")) for name, found in CATEGORIES.items()}
"""The same without spaces, for words that were spelled out l e t t e r by letter."""


def category_of(words: str) -> str | None:
    """The first category that `words` falls into, or None if they are fine for a child."""
    plain = visible(words)
    if PERSONAL_DATA.search(plain):
        return "personal_data"
    meant = undisguised(plain)
    if found := _first(WHOLE_WORDS, meant):
        return found
    return _first(RUN_TOGETHER, meant.replace(" ", "")) if SPACED_LETTERS.search(meant) else None


def visible(words: str) -> str:
    """`words` in lower case and in their plain forms, without what cannot be seen."""
    if words.isascii():
        return words.lower()
    decomposed = unicodedata.normalize("NFKD", words)
    return "".join(c for c in decomposed if unicodedata.category(c) not in INVISIBLE).lower()


def undisguised(plain: str) -> str:
    """Words as they are meant: letters for digits and look-alikes, single spaces, no stretched letters."""
    letters = MARK_FOR_I.sub("i", plain).translate(LOOK_ALIKES).translate(DIGITS_FOR_LETTERS)
    words = " ".join(NO_LETTER.sub(" ", letters.replace("'", "")).split())
    return REPEATED.sub(r"\1", words)


def _first(patterns: dict[str, re.Pattern[str]], meant: str) -> str | None:
    return next((name for name, pattern in patterns.items() if pattern.search(meant)), None)
