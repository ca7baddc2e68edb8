"""The JSON Schema of a campaign file, so that editors complete and check it while it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from campaign.config.models import CampaignModel
from campaign.phase import PhaseInfo

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE = {"type": "string", "pattern": r"\$\{", "description": "a value with a ${VARIABLE}"}
_NAMED = ("properties", "$defs")
_NESTED = ("anyOf", "oneOf", "allOf", "items", "additionalProperties", "prefixItems")
_CONSTRAINTS = frozenset({"enum", "const", "pattern", "minLength", "maxLength"})


def campaign_schema(phases: Mapping[str, PhaseInfo]) -> dict[str, Any]:
    """The schema of the whole file, with the settings of each of the `phases` by name."""
    models: list[type[BaseModel]] = [CampaignModel, *(info.settings for info in phases.values())]
    refs, rest = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Any] = rest["$defs"]
    whole = _resolved(refs[CampaignModel, "validation"], definitions)
    settings = {
        name: _with_phase(_resolved(refs[info.settings, "validation"], definitions), name, info)
        for name, info in phases.items()
    }
    properties = {**whole["properties"], "phases": _phases_schema(settings)}
    used = {name: each for name, each in definitions.items() if each.get("title") != CampaignModel.__name__}
    file = {"$schema": DIALECT, **whole, "title": "Campaign file", "properties": properties, "$defs": used}
    return dict(_with_variables(file))


def _resolved(ref: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    return dict(definitions[ref["$ref"].removeprefix("#/$defs/")])


def _with_phase(settings: dict[str, Any], name: str, info: PhaseInfo) -> dict[str, Any]:
    """Settings as they stand in the file, where `phase:` may say which phase a label runs."""
    properties = {"phase": {"const": name}, **settings.get("properties", {})}
    return {**settings, "title": info.title, "description": info.summary, "properties": properties}


def _phases_schema(settings: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    labelled = [{**each, "required": ["phase", *each.get("required", ())]} for each in settings.values()]
    return {
        "description": "The phases in the order of the run; a label may differ from its phase.",
        "type": "object",
        "minProperties": 1,
        "properties": {name: {"anyOf": [each, {"type": "null"}]} for name, each in settings.items()},
        "additionalProperties": {"anyOf": labelled} if labelled else False,
    }


def _with_variables(schema: Any) -> Any:
    """The same schema, where a variable may stand in the place of every number, choice or formatted text."""
    if isinstance(schema, list):
        return [_with_variables(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in ("integer", "number", "boolean") or _CONSTRAINTS & schema.keys():
        return {"anyOf": [schema, _VARIABLE]}
    return {key: _inside(key, each) for key, each in schema.items()}


def _inside(key: str, value: Any) -> Any:
    if key in _NAMED:
        return {name: _with_variables(each) for name, each in value.items()}
    return _with_variables(value) if key in _NESTED else value
