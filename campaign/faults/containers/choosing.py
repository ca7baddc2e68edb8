"""The one container that the campaign file means: by name, id, label or compose service."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from campaign.faults.containers.engine import Engine, GoneError
from campaign.faults.containers.seen import Seen, seen
from campaign.faults.fault import FaultError

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ONE_OFF = "com.docker.compose.oneoff"
_MOST_NAMED = 8


async def choose(engine: Engine, chosen: str, *, role: str) -> Seen:
    """What the engine says of it. Of several with the same label or service the only one that runs is meant.

    Raises FaultError: none such (with those that were perhaps meant), or several.
    """
    kind, equals, value = chosen.partition("=")
    if not equals:
        return await _by_name(engine, chosen, role=role)
    if kind not in {"label", "compose"} or not value:
        raise FaultError(
            f"target.containers.{role}: {chosen!r} is no name, label=KEY=VALUE or compose=SERVICE"
        )
    labels = _compose(value) if kind == "compose" else dict([_pair(value)])
    found = [each for each in await engine.containers(labels) if not _is_one_off(each)]
    if len(found) > 1:
        found = [each for each in found if each.get("State") in {"running", "paused"}] or found
    if not found:
        raise FaultError(f"no container has {chosen}, which is the role {role}{await _others(engine, value)}")
    if len(found) > 1:
        names = ", ".join(sorted(map(_name, found)))
        raise FaultError(f"{len(found)} containers have {chosen}: {names}; name the one that is the {role}")
    return seen(await engine.inspect(found[0]["Id"]))


async def _by_name(engine: Engine, name: str, *, role: str) -> Seen:
    try:
        return seen(await engine.inspect(name))
    except GoneError as error:
        others = await _others(engine, name)
        raise FaultError(f"there is no container {name!r}, which is the role {role}{others}") from error


async def _others(engine: Engine, wanted: str) -> str:
    """What was perhaps meant, else what there is."""
    there = await engine.containers()
    services = {each["Labels"][SERVICE] for each in there if SERVICE in (each.get("Labels") or {})}
    names = sorted(map(_name, there))
    if not names:
        return f"; the engine at {engine.place.url} has no containers"
    words = {name: name for name in names} | {service: f"compose={service}" for service in services}
    wanted = wanted.rpartition("/")[2].rpartition("=")[2]
    close = [words[each] for each in get_close_matches(wanted, sorted(words), n=3, cutoff=0.75)]
    close += [words[each] for each in sorted(words) if wanted in each and words[each] not in close][:3]
    if close:
        return f"; did you mean {' or '.join(close)}?"
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"; there are {', '.join(names[:_MOST_NAMED])}{more}"


def _compose(value: str) -> dict[str, str]:
    project, _, service = value.rpartition("/")
    return {SERVICE: service, **({PROJECT: project} if project else {})}


def _pair(value: str) -> tuple[str, str]:
    key, _, wanted = value.partition("=")
    return key, wanted


def _name(container: Mapping[str, Any]) -> str:
    return str((container.get("Names") or [container["Id"][:12]])[0]).lstrip("/")


def _is_one_off(container: Mapping[str, Any]) -> bool:
    """Made by `docker compose run`."""
    return str((container.get("Labels") or {}).get(ONE_OFF, "")).lower() == "true"
