"""The routes of an OpenAPI document (3.x, JSON or YAML), and which of them a campaign's operations reach."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from campaign.errors import ConfigurationError
from campaign.target.spec import OperationSpec

METHODS = ("get", "post", "put", "patch", "delete")

_HOLE = re.compile(r"\{\{.*?\}\}")
_PARAMETER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path. `parameters` are those in the path, `body` the properties of a JSON body with
    their types, `status` the first good answer, `many`: it answers with a list.
    """

    method: str
    path: str
    name: str
    parameters: tuple[str, ...] = ()
    body: Mapping[str, str] | None = None
    status: int = 200
    many: bool = False
    secured: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def matches(self, operation: OperationSpec) -> bool:
        """Whether the operation asks for this route."""
        if operation.method != self.method:
            return False
        path = _HOLE.sub("x", operation.path).partition("?")[0].rstrip("/")
        return _pattern(self.path).fullmatch(path) is not None


def read_routes(text: str, *, source: str) -> tuple[Route, ...]:
    """The routes of the document, in its order. Raises ConfigurationError where it is none."""
    try:
        document = yaml.safe_load(text)  # which reads JSON too
    except yaml.YAMLError as error:
        raise ConfigurationError(
            f"{source} is neither JSON nor YAML: {str(error).splitlines()[0]}"
        ) from error
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict):
        raise ConfigurationError(f"{source} is no OpenAPI document: it has no `paths`")
    return tuple(_routes(document, paths))


def read_file(path: Path) -> tuple[Route, ...]:
    """The routes of the document in a file. Raises ConfigurationError."""
    try:
        return read_routes(path.read_text(encoding="utf-8"), source=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error


def uncovered(routes: Iterable[Route], operations: Iterable[OperationSpec]) -> tuple[Route, ...]:
    """The routes that no operation asks for."""
    known = tuple(operations)
    return tuple(route for route in routes if not any(route.matches(each) for each in known))


def _routes(document: dict[str, Any], paths: dict[str, Any]) -> Iterator[Route]:
    for path, item in paths.items():
        for method in METHODS:
            described = item.get(method) if isinstance(item, dict) else None
            if isinstance(described, dict):
                yield _route(document, str(path), method, described)


def _route(document: dict[str, Any], path: str, method: str, described: dict[str, Any]) -> Route:
    status, answer = _good_answer(described)
    schema = _resolved(document, _json_schema(answer))
    body = _resolved(document, _json_schema(described.get("requestBody")))
    properties = body.get("properties")
    return Route(
        method=method.upper(),
        path=path,
        name=_name(described.get("operationId"), method, path),
        parameters=tuple(_PARAMETER.findall(path)),
        body=_types(document, properties) if isinstance(properties, dict) else None,
        status=status,
        many=schema.get("type") == "array" or _holds_a_list(document, schema),
        secured=bool(described.get("security") or document.get("security")),
    )


def _good_answer(described: dict[str, Any]) -> tuple[int, Any]:
    answers = described.get("responses")
    good = [code for code in answers or () if str(code).startswith("2") and str(code).isdigit()]
    return (int(good[0]), answers[good[0]]) if answers and good else (200, None)


def _json_schema(holder: Any) -> Any:
    content = holder.get("content") if isinstance(holder, dict) else None
    media = content.get("application/json") if isinstance(content, dict) else None
    return media.get("schema") if isinstance(media, dict) else None


def _resolved(document: dict[str, Any], schema: Any) -> dict[str, Any]:
    """The schema behind a reference within the document; empty where there is none."""
    for _ in range(10):  # a document may refer in a circle
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str):
            break
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        schema = found
    return schema if isinstance(schema, dict) else {}


def _types(document: dict[str, Any], properties: dict[str, Any]) -> dict[str, str]:
    return {
        str(name): str(_resolved(document, each).get("type", "object")) for name, each in properties.items()
    }


def _holds_a_list(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return False
    kinds = [_resolved(document, each).get("type") for each in properties.values()]
    return "array" in kinds and len(kinds) <= 3


def _name(identifier: Any, method: str, path: str) -> str:
    """A short name for an operation: the path's last word after the method's verb."""
    del identifier  # generated ones are long; a person will want to choose
    words = [each for each in path.strip("/").split("/") if not each.startswith("{") and each != "api"]
    verbs = {"get": "get", "post": "add", "put": "set", "patch": "change", "delete": "delete"}
    return re.sub(r"\W+", "_", "_".join([verbs[method], *words[-2:]])).lower()


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^{}]+\}", path.rstrip("/"))
    return re.compile("[^/]+".join(re.escape(part) for part in parts))
