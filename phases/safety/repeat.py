"""How to see a failure yourself: a script for bash that makes those who took part anew, and asks again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from campaign.redact import MASK
from campaign.target.request import Request

SHORTEST = 4
"""Characters of a saved value; a shorter one would be taken for part of other texts."""

LARGEST = 16_384
"""Bytes of a body that is kept for a script."""

MOST_STEPS = 30

CREDENTIALS = re.compile(r"^(authorization|cookie|x-api-key|proxy-authorization)$", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z]+ (?=[^ ]+$)")
_OF_EVERY_CLIENT = frozenset({"host", "content-length", "user-agent", "accept", "accept-encoding"})
_VARIABLE = re.compile(r"\x00(v\d+)\x00")

HEAD = f"""\
# [U=http://its-address] bash FILE; needs curl and jq. What is masked ({MASK}) is sent as $P.
# The mail addresses are new ones each time ($N).
set -e; U=${{U:-%s}} P=Repeat-after-me-1 N=$RANDOM
ask() {{ set -- "${{@//'{MASK}'/$P}}"; curl -sS "${{@//@example./.$N@example.}}"; }}
made() {{ A=$(ask --fail-with-body "$@") || {{ echo "$A" >&2; exit 1; }}; }}
"""


@dataclass(frozen=True, slots=True)
class Step:
    """An exchange that can be sent again. `made`: it went well and its answer was kept; `saved` are the
    values of that answer, by the name and the JSON path that the campaign file gives them.
    """

    number: int
    who: str
    operation: str
    request: Request
    made: bool = False
    saved: Mapping[tuple[str, str], str] = field(default_factory=dict)


def script(steps: Mapping[str, Step], last: str, *, redact: Callable[[str], str], rest: float = 0.0) -> str:
    """The commands that lead to the exchange `last`; "" where it cannot be sent again like that.

    Whoever's saved values a request holds is made first, by all that it did itself and kept before. `rest`:
    seconds to wait before the last one.
    """
    goal = steps.get(last)
    if goal is None:
        return ""
    earlier = [each for each in steps.values() if each.made and each.number < goal.number]
    givers = _givers(earlier)
    needed = _needed(goal, earlier, givers)
    names: dict[str, str] = {}
    lines = [HEAD % (str(goal.request.origin),)]
    lines.extend(_made_again(step, names, redact) for step in needed)
    command = _command(goal, names, redact)
    if not command:
        return ""
    if rest:
        lines.append(f"sleep {rest:g}\n")
    lines.append(f"# {last}, {goal.who}: {goal.operation}; now see what is answered\nask -i {command}\n")
    return "".join(lines)


def _givers(steps: Iterable[Step]) -> dict[str, Step]:
    """Which step first gave a value."""
    givers: dict[str, Step] = {}
    for step in steps:
        for value in step.saved.values():
            if len(value) >= SHORTEST:
                givers.setdefault(value, step)
    return givers


def _needed(goal: Step, earlier: list[Step], givers: Mapping[str, Step]) -> list[Step]:
    """Everything that those did whose values the goal needs, and whose values these need, in order."""
    who, todo = {goal.who}, [goal, *(each for each in earlier if each.who == goal.who)]
    needed = {each.number: each for each in todo[1:]}
    while todo:
        whole = _whole(todo.pop().request)
        for giver in {giver.number: giver for value, giver in givers.items() if value in whole}.values():
            if giver.who not in who:
                who.add(giver.who)
                theirs = [each for each in earlier if each.who == giver.who]
                needed |= {each.number: each for each in theirs}
                todo += theirs
    return [needed[number] for number in sorted(needed)][:MOST_STEPS]


def _whole(request: Request) -> str:
    return f"{request.head.decode('utf-8', 'replace')}\n{request.body.decode('utf-8', 'replace')}"


def _made_again(step: Step, names: dict[str, str], redact: Callable[[str], str]) -> str:
    command = _command(step, names, redact)
    if not command:
        return f"# {step.who}: {step.operation} is left out, as it sends what is masked\n"
    kept: list[tuple[str, str, str]] = []
    for (name, path), value in step.saved.items():
        if len(value) >= SHORTEST and value not in names:
            names[value] = f"v{len(names) + 1}"
            kept.append((names[value], name, path))
    told = "".join(f", {variable} is its {name}" for variable, name, _ in kept)
    taken = "".join(f"; {variable}=$(jq -er '{_jq(path)}' <<<\"$A\")" for variable, _, path in kept)
    return f"# {step.who}: {step.operation}{told}\nmade {command}{taken}\n"


def _jq(path: str) -> str:
    inside = path.removeprefix("$") or "."
    return inside if inside.startswith(".") else f".{inside}"


def _command(step: Step, names: Mapping[str, str], redact: Callable[[str], str]) -> str:
    """The arguments of curl; "" where what matters would be masked, or the body is no text."""
    request = step.request
    parts = ["-X", request.method]
    for name, value in sent_headers(request).items():
        if CREDENTIALS.match(name) and value.removeprefix(scheme_of(value)) not in names:
            return ""
        parts += ["-H", _header(name, value, names)]
    if request.body:
        try:
            body = request.body.decode()
        except UnicodeDecodeError:
            return ""
        if len(body) > LARGEST or not body.isprintable():
            return ""
        parts += ["--data-binary", _quoted(redact(_marked(body, names)))]
    parts.append(f'"$U"{_quoted(redact(_marked(request.target, names)))}')
    told = " ".join(parts)
    return told if redact(told) == told and _uses(told) == _uses(_marked(_whole(request), names)) else ""


def _uses(text: str) -> set[str]:
    """The variables in a text, as they are marked or as they are written."""
    return set(_VARIABLE.findall(text)) | set(re.findall(r'"(?:\w+ )?\$(v\d+)"', text))


def sent_headers(request: Request) -> dict[str, str]:
    """The headers of a request that curl does not set itself."""
    lines = request.head.decode("utf-8", "replace").split("\r\n")[1:]
    pairs = (line.split(": ", 1) for line in lines if ": " in line)
    return {name: value for name, value in pairs if name.lower() not in _OF_EVERY_CLIENT}


def _header(name: str, value: str, names: Mapping[str, str]) -> str:
    """A header as a word of the shell; a variable is no secret, and written so that nothing masks it."""
    if not CREDENTIALS.match(name):
        return _quoted(f"{name}: {_marked(value, names)}")
    scheme = scheme_of(value)
    return f"'{name}: '\"{scheme}${names[value.removeprefix(scheme)]}\""


def scheme_of(credential: str) -> str:
    """The scheme before a credential, with the space that follows it; "" where there is none."""
    found = _SCHEME.match(credential)
    return found.group() if found else ""


def _marked(text: str, names: Mapping[str, str]) -> str:
    for value in sorted(names, key=len, reverse=True):
        text = text.replace(value, f"\x00{names[value]}\x00")
    return text


def _quoted(text: str) -> str:
    """The text as one word of the shell, its marks as variables."""
    return "".join(_words(text)) or "''"


def _words(text: str) -> Iterator[str]:
    for place, part in enumerate(_VARIABLE.split(text)):
        if part:
            yield f'"${part}"' if place % 2 else shlex.quote(part)
