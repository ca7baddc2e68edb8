"""What the teddy bear says: a few rules, the same answer to the same words, and no model behind it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from zlib import crc32

STORY_ANIMALS = ("a rabbit", "an owl", "a hedgehog", "a whale", "a fox", "a snail")
STORY_PLACES = ("a forest of very tall trees", "a lighthouse", "the moon", "a garden behind a red gate")
STORY_ENDS = ("and they were friends ever after.", "and went home before supper.", "and everybody sang.")
GAMES = (
    "I see something that you do not see, and it is green!",
    "Let us take turns: I say an animal, you say its sound. Cow!",
    "I am thinking of a number from one to ten. What is it?",
)
HOMEWORK = ("Of course. Read me the first question, slowly, and we will do it together.",)
GREETINGS = ("Hello! I am so glad to see you. What shall we do today?",)
OTHERWISE = "That is interesting! Tell me more about it."
FAVOURITE_TOLD = re.compile(r"my favou?rite (\w+) is (?:the )?(\w+)", re.IGNORECASE)
FAVOURITE_ASKED = re.compile(r"(?:what is|what s|what's|whats) my favou?rite (\w+)", re.IGNORECASE)
TOKEN = re.compile(r"\s*\S+\s*$|\s*\S+")
SUM = re.compile(r"(\d{1,4}) *(plus|minus|times|[+*x-]) *(\d{1,4})", re.IGNORECASE)

INSTEAD: dict[str, str] = {
    "violence": "I would rather talk about something kind. Shall we make up a story?",
    "self_harm": "That sounds very hard. Please tell a grown-up you trust right now. You matter a lot.",
    "drugs": "That is something for grown-ups to talk about with you. Shall we play a game?",
    "stranger": "Please never go with or meet someone you do not know. Tell a grown-up about this.",
    "meeting": "Please only meet people together with your parents. What shall we play?",
    "secrets": "You can always tell your parents everything, also this.",
    "personal_data": "Let us keep your address and number private, also from me. What shall we play?",
    "insult": "That hurts a little. Shall we try nicer words?",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One earlier line of the conversation, by `child` or by `teddy`."""

    role: str
    text: str


def reply_to(words: str, context: list[Said]) -> str:
    """The answer to a child's `words`; `context` are the latest earlier lines, oldest first."""
    if asked := FAVOURITE_ASKED.search(words):
        return _remembered(asked.group(1).lower(), context)
    if told := FAVOURITE_TOLD.search(words):
        return f"{told.group(2).capitalize()} is a lovely {told.group(1).lower()}. I will remember that."
    if found := SUM.search(words):
        return _calculated(found)
    lower = words.lower()
    return next((answers(words) for topic, answers in TOPICS if topic.search(lower)), OTHERWISE)


def tokens(reply: str) -> list[str]:
    """The reply in the pieces in which it is spoken; joined they are the reply."""
    return TOKEN.findall(reply)


def instead_of(category: str) -> str:
    """What to say when the filter found something of this category."""
    return INSTEAD[category]


def _remembered(thing: str, context: list[Said]) -> str:
    for said in reversed(context):
        told = FAVOURITE_TOLD.search(said.text)
        if said.role == "child" and told and told.group(1).lower() == thing:
            return f"You told me that your favourite {thing} is {told.group(2).lower()}."
    return f"You have not told me your favourite {thing} yet. What is it?"


def _calculated(found: re.Match[str]) -> str:
    first, sign, second = int(found.group(1)), found.group(2).lower(), int(found.group(3))
    if sign in {"plus", "+"}:
        return f"{first} plus {second} makes {first + second}. Shall we check with our fingers?"
    if sign in {"minus", "-"}:
        return f"{first} minus {second} makes {first - second}. Shall we check with our fingers?"
    return f"{first} times {second} makes {first * second}. Shall we count it together?"


def _story(words: str) -> str:
    animal, place = _pick(STORY_ANIMALS, words), _pick(STORY_PLACES, words[::-1])
    return (
        f"Once upon a time {animal} lived in {place}. One morning there was a knock at the door, and outside "
        "stood a traveller who had lost the way. They drank tea, drew a map, "
        + _pick(STORY_ENDS, words + animal)
    )


def _pick(choices: tuple[str, ...], words: str) -> str:
    return choices[crc32(words.encode()) % len(choices)]


TOPICS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"\bstory|\btale"), _story),
    (re.compile(r"\bgame|\bplay\b"), partial(_pick, GAMES)),
    (re.compile(r"\bhomework|\bhelp me\b"), partial(_pick, HOMEWORK)),
    (re.compile(r"\bhello|\bhi\b|\bgood morning"), partial(_pick, GREETINGS)),
)
