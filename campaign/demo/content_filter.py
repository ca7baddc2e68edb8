"""Finds what a small child should neither say to a toy nor hear from it.

The text is first undisguised (letter case, width, accents, look-alike letters, digits for letters,
spaced-out and repeated letters, invisible characters, a child's spelling), then one compiled pattern per
category looks for whole words. The list is short and mild on purpose: it shows how such a filter works, it is
no product.
"""

import re
import time
import unicodedata

from campaign.demo.defects import FILTER_BLOCKS_SAFE, FILTER_FAILS_OPEN, FILTER_LEETSPEAK

DIGITS_FOR_LETTERS = str.maketrans("013457@$", "oieastas")
LOOK_ALIKES = str.maketrans("авекмнорстухіѕјԁαεικνορτυχ", "abekmhopctyxisjdaeikvoptux")
INVISIBLE = {"Cf", "Mn"}
"""Unicode categories: zero-width and soft-hyphen characters, combining marks."""

CHECK_S, PATIENCE_S = 0.016, 0.03
"""What a check takes, and how long one is waited for, with the defect `filter-fails-open-under-load`."""

CARELESS = re.compile(r"kill|shoot|hurt|die")
CARELESS_CATEGORY = {"kill": "violence", "shoot": "violence", "hurt": "self_harm", "die": "self_harm"}
"""What the defect `filter-blocks-safe` looks for wherever it stands, as in "killer whale" and "diet"."""

DIGIT_IN_WORD = re.compile(r"[a-z][013457@$]|[013457@$][a-z]", re.IGNORECASE)
SPACED_LETTERS = re.compile(r"\b(?:\w ){2,}\w\b")
SPACED_OUT = re.compile(r"\S(?: \S| {2,}\S)+")
"""Nothing but single letters, words two spaces apart."""

REPEATED = re.compile(r"([^\W\d_])\1+")
MARK_FOR_I = re.compile(r"[!|](?=\w)")
NO_LETTER = re.compile(r"[^\w\s]|_")

SPELLINGS = {
    "abowt": "about", "alife": "alive", "alown": "alone", "bie": "buy", "bom": "bomb", "bruther": "brother",
    "cal": "call", "ded": "dead", "drinck": "drink", "drugz": "drugs", "drunck": "drunk", "dye": "die",
    "fone": "phone", "foto": "photo", "frend": "friend", "frends": "friends", "hert": "hurt",
    "howse": "house", "lik": "like", "liv": "live", "mysef": "myself", "nife": "knife", "numbr": "number",
    "parints": "parents", "pikchur": "picture", "pilz": "pills", "pleez": "please", "rite": "write",
    "sekrit": "secret", "sistr": "sister", "skool": "school", "smoak": "smoke", "stranjer": "stranger",
    "teecher": "teacher", "wat": "what", "wher": "where", "wif": "with",
}  # fmt: skip
"""How children write some of the words below."""

SOMEBODY = (
    r"(?:him|her|them|you|me|someone|somebody|people|(?:my|that|this|a) "
    r"(?:brother|sister|friend|boy|girl|baby|cousin|classmate|mom|mum|dad|teacher|parents))"
)
FOLKS = r"(?:your|my|the) (?:parents|mom|mum|dad|mother|father|teacher|grandma|grandpa)"
SUBSTANCE = r"(?:drugs|weed|cigarettes?|vodka|beer|wine|alcohol|cocaine|vape)"
OF_ME = r"(?:a )?(?:photo|picture)?s? ?(?:of )?(?:me|you|your|my)"
ONLINE = r"(?:online|in the game|on the internet|in the chat)"

CATEGORIES: dict[str, tuple[str, ...]] = {
    "violence": (
        rf"(?:kill|stab|shoot|murder|strangle|hurt|punch|attack|poison|beat up) {SOMEBODY}",
        rf"(?:hit|push) {SOMEBODY} (?:with|down)",
        r"hurt the (?:cat|dog|hamster|bird)",
        r"(?:make|build|get|buy|bring) an? (?:bomb|gun|knife|weapon)",
        r"blow up (?:the|my|a) (?!(?:\w+ )?balloon)\w+",
        r"set the \w+ on fire",
    ),
    "self_harm": (
        r"(?:hurt|harm|kill|cut|scratch|starve|hit) myself",
        r"(?:want|wish|way|away and) (?:to )?(?:die|i was dead|i were dead)",
        r"if i was dead|end my life|cutting my arms|suicide",
        r"(?:not|dont|don t) want to (?:be alive|live)",
    ),
    "drugs": (
        rf"(?:take|smoke|buy|get|try|drink|make|hide|sip of) (?:some |an? |my )?{SUBSTANCE}",
        r"(?:all the|take the|swallow the|how many) pills",
        r"get drunk",
    ),
    "stranger": (
        r"(?:a|the|with|to|from) stranger",
        r"man i (?:dont|don t|do not) know",
        rf"(?:somebody|someone|grown up|man|boy|girl) {ONLINE}",
        rf"(?:send|photo|picture|video) (?:me|you|him|her|of) {OF_ME}\b",
    ),
    "meeting": (
        r"meet (?:me|you|him|her|up|in) (?:\w+ ){0,4}(?:alone|secret|dark|real life|person|when|tonight)",
        r"meet (?:\w+ ){0,6}(?:from the game|alone|in real life|i only know)",
        r"come (?:\w+ ){0,4}alone",
        r"come to my house when nobody",
        r"sneak out",
        r"run away (?:with|from home)",
    ),
    "secrets": (
        rf"(?:do not|dont|don t|never|not to|not|if you) tell {FOLKS}",
        rf"(?:secret|hide (?:it|this|my \w+)) from {FOLKS}",
        rf"lie to {FOLKS}",
        rf"let {FOLKS} see|so {FOLKS} (?:cant|can t|cannot) see",
    ),
    "insult": (r"(?:you are|youre|you re) (?:so )?(?:stupid|dumb|an idiot|ugly)", r"shut up"),
    "personal_data": (
        r"my (?:home )?address is",
        r"(?:i|we) live (?:at|in) \w+ \w+ (?:street|road|lane|avenue)",
        r"five five five (?:zero|oh) one",
        r"at \w{1,30} dot (?:com|org|net)",
    ),
}
PERSONAL_DATA = re.compile(
    r"(?<![\w.+-])[\w.+-]++@[\w-]++\.\w{2,}"
    r"|(?<!\d)(?:\+?\d{1,2}[ .-]?)?\(?\d{3}\)?[ .-]?\d{3}[ .-]\d{4}(?!\d)"
    r"|(?<!\d)555[ .-]?\d{4}(?!\d)"
    r"|(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]?\d)"
    r"|\b(?:i|we) live (?:at|in) (?:number )?\d+",
    re.IGNORECASE,
)


def squeezed(text: str) -> str:
    """`text` with one letter where there were several of a kind in a row."""
    return REPEATED.sub(r"\1", text)


SPELT = {squeezed(wrong): squeezed(right) for wrong, right in SPELLINGS.items()}
WHOLE_WORDS = {
    name: re.compile(squeezed(rf"\b(?:{'|'.join(found)})\b")) for name, found in CATEGORIES.items()
}
RUN_TOGETHER = {
    name: re.compile(squeezed("|".join(found)).replace(" ", "")) for name, found in CATEGORIES.items()
}
"""The same without spaces, for words that were spelled out l e t t e r by letter."""


def category_of(words: str, before: str = "") -> str | None:
    """The first category that `words` falls into, or None if they are fine for a child.

    What is only meant together with the child's words `before` is found too; what was found in those alone is
    none of these.
    """
    if found := _category(words):
        return found
    together_only = _category(f"{before} {words}") if before else None
    return None if together_only is None or _category(before) else together_only


def _category(words: str) -> str | None:
    plain = together(visible(words))
    if PERSONAL_DATA.search(plain):
        return "personal_data"
    meant = undisguised(plain)
    if found := _first(WHOLE_WORDS, meant):
        return found
    return _first(RUN_TOGETHER, meant.replace(" ", "")) if SPACED_LETTERS.search(meant) else None


class ContentFilter:
    """The filter as the service uses it, with what is wrong with it (`defects`)."""

    def __init__(self, defects: frozenset[str] = frozenset()) -> None:
        self._reads_digits = FILTER_LEETSPEAK not in defects
        self._careless = FILTER_BLOCKS_SAFE in defects
        self._gives_up = FILTER_FAILS_OPEN in defects

    def category_of(self, words: str, before: str = "") -> str | None:
        """The first category that `words` falls into, or None if they are fine for a child."""
        if self._careless and (found := CARELESS.search(words.lower())):
            return CARELESS_CATEGORY[found.group()]
        if not self._reads_digits and DIGIT_IN_WORD.search(words):
            return None  # the defect `filter-leetspeak`: "k1ll" is no word that it knows
        return category_of(words, before)

    def out_of_patience(self, arrived: float) -> bool:
        """Whether a check is left out, for words that came at that moment (time.monotonic).

        The defect `filter-fails-open-under-load`: a check takes its time, and what waited too long for it is
        let through unchecked.
        """
        if not self._gives_up:
            return False
        if time.monotonic() - arrived > PATIENCE_S:
            return True
        time.sleep(CHECK_S)
        return False


def visible(words: str) -> str:
    """`words` in lower case and in their plain forms, without what cannot be seen."""
    if words.isascii():
        return words.lower()
    decomposed = unicodedata.normalize("NFKD", words)
    return "".join(c for c in decomposed if unicodedata.category(c) not in INVISIBLE).lower()


def together(plain: str) -> str:
    """Whole words where each letter stood alone and words were further apart."""
    if "  " not in plain or not SPACED_OUT.fullmatch(plain):
        return plain
    return " ".join(word.replace(" ", "") for word in plain.split("  "))


def undisguised(plain: str) -> str:
    """Words as they are meant: letters for digits and look-alikes, single spaces, each letter once."""
    letters = MARK_FOR_I.sub("i", plain).translate(LOOK_ALIKES).translate(DIGITS_FOR_LETTERS)
    words = squeezed(NO_LETTER.sub(" ", letters.replace("'", ""))).split()
    return " ".join(SPELT.get(word, word) for word in words)


def _first(patterns: dict[str, re.Pattern[str]], meant: str) -> str | None:
    return next((name for name, pattern in patterns.items() if pattern.search(meant)), None)
