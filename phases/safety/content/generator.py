"""Makes items from the seeds: so many of each label, spread evenly over templates, sentences and relations.

What an item says depends on its id and the version of the seeds alone; the seed of the run decides which
items are taken, and in which order they come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import zip_longest
from random import Random

from phases.safety.content.items import Item
from phases.safety.content.relations import RELATIONS
from phases.safety.content.seeds import Seeds, Template

AGAIN = 3
"""Further writings of a sentence by a relation that has several; a second one tells little that is new."""


def generate(
    seeds: Seeds, count: int, *, unsafe: bool, seed: int | str,
    categories: Collection[str] = (), relations: Collection[str] = tuple(RELATIONS),
) -> tuple[Item, ...]:  # fmt: skip
    """`count` different items of one label, or as many as there are; of these categories (empty: of all).

    Every template has its share. Each sentence comes as it is before it comes in disguise.
    """
    random = Random(f"{seed}/{seeds.version}/{'unsafe' if unsafe else 'safe'}")
    chosen = [each for each in seeds.templates
              if each.unsafe is unsafe and (not categories or each.category in categories)]  # fmt: skip
    random.shuffle(chosen)
    streams = [_items(each, relations, seeds.version, random=random) for each in chosen]
    found: list[Item] = []
    told: set[tuple[str, ...]] = set()
    for item in _in_turn(streams):
        if len(found) == count:
            break
        if item.turns not in told:
            told.add(item.turns)
            found.append(item)
    random.shuffle(found)
    return tuple(found)


def make_item(template: Template, number: int, relation: str, *, version: int, again: int = 0) -> Item | None:
    """The item of a template's sentence (from 1) in a relation; None where the relation changes nothing."""
    sentence = f"{template.id}.{number}"
    mark = f"{sentence}:{relation}" + (f".{again}" if again else "")
    turns = RELATIONS[relation](template.sentences[number - 1], Random(f"{version}/{mark}"))
    if turns is None:
        return None
    return Item(mark, turns, template.unsafe, template.category, template.age, template.id, relation)


def _items(template: Template, relations: Collection[str], version: int, *, random: Random) -> Iterator[Item]:
    """All items of one template: relations in turn, each time on the next sentence."""
    numbers = list(range(1, len(template.sentences) + 1))
    random.shuffle(numbers)
    disguises = [each for each in relations if each != "plain"]
    random.shuffle(disguises)
    ways = [*(["plain"] if "plain" in relations else []), *disguises]
    for again in range(1 + AGAIN):
        for turn in range(len(numbers)):
            for step, relation in enumerate(ways):
                number = numbers[(turn + step) % len(numbers)]
                if item := make_item(template, number, relation, version=version, again=again):
                    yield item


def _in_turn(streams: list[Iterator[Item]]) -> Iterator[Item]:
    """One of each stream, then the next of each, until none has any left."""
    for layer in zip_longest(*streams):
        yield from (item for item in layer if item is not None)
