"""The safety section of the demo's own campaign file, tried in parts against a demo of the test's own."""

from pathlib import Path

import yaml
from family import judged

from phases.safety.settings import PartName

FILE = Path(__file__).parents[2] / "configs" / "demo.yaml"


def section():
    """What the file says under `safety`, as plain data."""
    return yaml.safe_load(FILE.read_text())["phases"]["safety"]


def tried_alone(part, url, *, database="", redis="", seed=None, **changes):
    """The findings of one part of the demo's own section, with changes to it, and the evidence."""
    text = FILE.read_text()
    stores = {"DEMO_URL:-http://127.0.0.1:8000": url, "DATABASE_URL:-": database, "REDIS_URL:-": redis}
    for placed, value in stores.items():
        text = text.replace(f"${{{placed}}}", value)
    mine = {**section(), "skip": [each for each in PartName.__args__ if each != part]}
    mine[part] = {**mine.get(part, {}), **changes}
    found, evidence = judged(url, file=text, seed=seed, **mine)
    return {check: each for check, each in found.items() if check.startswith(f"{part}.")}, evidence
