"""report.html: one file that opens anywhere, asks nobody for anything and survives what the target said.

A phase's own partial gets `phase` (its part of the document), `evidence` (that of the phase), our macros by
`{% import "macros.html.j2" as page %}` and our filters. Texts are escaped there too; its scripts do not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from campaign.checks import WEIGHTS
from campaign.records import CampaignResult, PhaseResult, Status
from campaign.report import words
from campaign.report.atomic import write_text
from campaign.report.bullet import bullet
from campaign.report.charts import charts
from campaign.report.document import iso, plain, requests
from campaign.report.groups import grouped
from campaign.report.text import readable, sentence
from campaign.resources import folder
from campaign.scoring import CEILINGS
from campaign.units import format_quantity

NO_PARTIALS: Mapping[str, str] = MappingProxyType({})

LIBRARY = ("vendor/uPlot.iife.min.js", "vendor/uPlot.min.css")


def write(result: CampaignResult, path: Path, *, partials: Mapping[str, str] = NO_PARTIALS) -> None:
    """Write the page. Raises ReportError."""
    write_text(path, render(result, partials))


def render(result: CampaignResult, partials: Mapping[str, str] = NO_PARTIALS) -> str:
    """The whole page; `partials` maps a kind of phase to the source of its template."""
    library, library_style = (_source(name) for name in LIBRARY)
    scripts = [Markup(each) for each in (library, _source("report.js")) if library and each]  # noqa: S704 - ours
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            result=result,
            requests=requests(result.results),
            styles=[Markup(each) for each in (library_style, _source("report.css")) if each],  # noqa: S704 - ours
            scripts=scripts,
            script_hashes=[_hash(each) for each in scripts],
            data=_for_script(charts(result)),
            parts={each.phase: _own_part(each, partials.get(each.kind)) for each in result.results},
            anchors=_anchors(result),
            configuration=json.dumps(plain(result.run.configuration), indent=2, ensure_ascii=False),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "quantity": format_quantity,
        "points": words.points,
        "percent": words.percent,
        "sentence": sentence,
        "duration": words.duration,
        "moment": iso,
        "listed": words.listed,
    }
    environment.globals |= {
        "words": words,
        "bullet": bullet,
        "grouped": grouped,
        "weights": WEIGHTS,
        "ceilings": CEILINGS,
    }
    return environment


@cache
def _source(name: str) -> str | None:
    file = folder("templates").joinpath(name)
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _shown(value: Any) -> Any:
    """What a template prints: our markup as it is, text without characters that hide or reorder others."""
    return readable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _for_script(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in (also U+2028 and U+2029, which ASCII escapes)."""
    text = json.dumps(plain(value), separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _own_part(phase: PhaseResult, source: str | None) -> Markup:
    """What the phase's partial makes of it; a sentence where it fails, as that must not cost the page."""
    if source is None or phase.status is Status.SKIPPED:
        return Markup()
    data = plain(phase)
    try:
        return Markup(_environment().from_string(source).render(phase=data, evidence=data["evidence"]))  # noqa: S704
    except Exception as error:  # noqa: BLE001 - a foreign template may raise anything
        macros: Any = _environment().get_template("macros.html.j2").module
        return Markup(macros.broken_part(f"{type(error).__name__}: {error}"))  # noqa: S704 - escaped by the macro


def _anchors(result: CampaignResult) -> dict[tuple[str, str], str]:
    """A place on the page for every finding."""
    return {
        (phase.phase, finding.check): f"finding-{row}-{column}"
        for row, phase in enumerate(result.results)
        for column, finding in enumerate(phase.findings)
    }
