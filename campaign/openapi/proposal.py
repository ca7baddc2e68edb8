"""What a campaign file could say of a service, proposed from its OpenAPI document.

A proposal is a beginning. Nobody can read from a document who may do what, so everything is forbidden in it
until a person says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from campaign.openapi.document import Route

VERBS = {"GET": "read", "PUT": "update", "PATCH": "update", "DELETE": "delete", "POST": "write"}

HEAD = """# Proposed from {source}: {routes} routes, {owned} of them with somebody's id in the path.
# Look at every line. `owner` and the roles are guesses, who may do what is forbidden until `allow` says it.
"""


def propose(routes: Iterable[Route], *, source: str) -> str:
    """Part of a campaign file, as YAML: operations, and for `phases.safety` what has an id in its path."""
    known = list(routes)
    names = dict(_named(known))
    operations = {names[id(route)]: _operation(route) for route in known}
    resources = _resources(known, names)
    proposal = {
        "operations": operations,
        "phases": {
            "safety": {
                "roles": {
                    "parent": {"start": _makers(known, names), "credentials": ["token"], "families": 2}
                },
                "resources": resources,
                "allow": {"parent": {"own": []}},
            }
        },
    }
    owned = sum(bool(route.parameters) for route in known)
    head = HEAD.format(source=source, routes=len(known), owned=owned)
    return head + yaml.safe_dump(proposal, sort_keys=False, allow_unicode=True, width=110)


def _named(routes: list[Route]) -> Iterator[tuple[int, str]]:
    """Each route's own name; a number tells apart those that would share one."""
    taken: dict[str, int] = {}
    for route in routes:
        taken[route.name] = taken.get(route.name, 0) + 1
        count = taken[route.name]
        yield id(route), route.name if count == 1 else f"{route.name}_{count}"


def _operation(route: Route) -> dict[str, Any]:
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", f"{{{{ {_variable(name)} }}}}")
    said: dict[str, Any] = {"request": f"{route.method} {path}"}
    if route.secured:
        said["auth"] = "{{ token }}"
    if route.body is not None:
        said["json"] = {name: _example(name, kind) for name, kind in route.body.items()}
    said["expect"] = route.status
    return said


def _resources(routes: list[Route], names: dict[int, str]) -> dict[str, Any]:
    """A resource for each thing whose id stands in a path, with the operations that name it."""
    found: dict[str, dict[str, Any]] = {}
    for route in routes:
        if not route.parameters:
            continue
        thing = _thing(route)
        resource = found.setdefault(thing, {"owner": "parent", "ids": []})
        resource["ids"] = sorted({*resource["ids"], *map(_variable, route.parameters)})
        verb = "list" if route.method == "GET" and route.many else VERBS[route.method]
        resource.setdefault(verb, names[id(route)])
    return found


def _thing(route: Route) -> str:
    """What a path is about: its last word that is no parameter."""
    words = [each for each in route.path.strip("/").split("/") if not each.startswith("{")]
    return words[-1].replace("-", "_") if words else "thing"


def _makers(routes: list[Route], names: dict[int, str]) -> list[str]:
    """Operations that look like signing up or in."""
    wanted = ("register", "signup", "sign-up", "login", "token")
    return [
        names[id(route)]
        for route in routes
        if route.method == "POST" and not route.parameters and any(word in route.path for word in wanted)
    ][:1]


def _variable(name: str) -> str:
    return name.replace("-", "_")


def _example(name: str, kind: str) -> Any:
    if kind in {"integer", "number"}:
        return "{{ random.int(1, 100) }}"
    if kind == "boolean":
        return True
    if kind in {"array", "object"}:
        return [] if kind == "array" else {}
    known = {"email": "{{ fake.email }}", "password": "{{ fake.password }}"}
    fitting = "{{ canary }}" if not name.endswith("_id") else f"{{{{ {_variable(name)} }}}}"
    return known.get(name, fitting)
