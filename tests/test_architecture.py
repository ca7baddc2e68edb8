"""The house: imports point down, never sideways and never up; nothing in the core knows a concrete phase."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LAYERS = {
    "errors": 0, "resources": 0, "clock": 0, "units": 0, "demo": 0,
    "records": 1, "stats": 1, "redact": 1, "canary": 1,
    "target": 2, "settings": 2, "openapi": 3,
    "load": 3, "monitor": 3, "faults": 3, "database": 3, "cache": 3, "ledger": 3,
    "phase": 4, "checks": 4, "scoring": 4,
    "config": 5, "registry": 5, "events": 5, "evidence": 5, "gate": 5,
    "history": 6, "analysis": 6, "eventlog": 6, "notify": 6, "metrics": 6,
    "report": 7,
    "runner": 8,
    "cli": 9, "pytest_plugin": 9, "__main__": 10, "__init__": 10,
}  # fmt: skip
"""Room -> layer. `faults`, `history`, `analysis` and `pytest_plugin` are rooms still to be built."""

DEMO_MAY_BE_IMPORTED_BY = {"demo", "cli"}
PHASES_SEE_UP_TO = 4


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT / "campaign").parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield node.lineno, f"{node.module}.{node.names[0].name}"


def imported_rooms(path: Path) -> Iterator[tuple[int, str]]:
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "campaign" and parts[1] != "__version__":
            yield line, parts[1]


@pytest.mark.parametrize("path", modules("campaign"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    own = room(path)
    assert own in LAYERS, f"{own} has no layer"
    for line, other in imported_rooms(path):
        below = other == own or LAYERS[other] < LAYERS[own]
        assert below, f"{path}:{line}: {own} (layer {LAYERS[own]}) imports {other} (layer {LAYERS[other]})"
        assert other != "demo" or own in DEMO_MAY_BE_IMPORTED_BY, f"{path}:{line}: {own} imports the demo"


@pytest.mark.parametrize("path", modules("campaign"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_knows_no_phase(path):
    assert [name for _, name in imports(path) if name.split(".")[0] == "phases"] == []


@pytest.mark.parametrize("path", modules("phases"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_phase_sees_the_public_layers_and_no_other_phase(path):
    for line, other in imported_rooms(path):
        assert LAYERS.get(other, 0) <= PHASES_SEE_UP_TO, f"{path}:{line}: a phase imports campaign.{other}"
    own = path.relative_to(ROOT / "phases").parts[0]
    others = [
        name for _, name in imports(path) if name.split(".")[0] == "phases" and name.split(".")[1] != own
    ]
    assert others == []


@pytest.mark.parametrize("path", modules("campaign"), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_checks_makes_findings(path):
    made = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    ]
    assert made == [] or room(path) == "checks"


def test_no_code_lies_among_the_data():
    assert [str(path) for name in ("templates", "configs") for path in modules(name)] == []
