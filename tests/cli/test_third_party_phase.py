"""The phase of docs/writing-a-phase.md, installed like anybody's: listed, run, judged, on the page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cave(plain_target):
    return plain_target.url


@pytest.fixture
def plugins(tmp_path):
    """A folder of installed packages: the one from the documentation, and one that cannot be loaded."""
    page = (ROOT / "docs" / "writing-a-phase.md").read_text()
    site = tmp_path / "site"
    info = site / "dragon_phase-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "dragon").mkdir()
    (site / "dragon" / "__init__.py").write_text(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1])
    (site / "dragon" / "page.html").write_text(re.search(r"```html\n(.*?)```", page, re.DOTALL)[1])
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: dragon-phase\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[campaign.phases]\ndragon = dragon:DragonPhase\nbroken = no_such_module:Phase\n"
    )
    return site


def campaign(*arguments, cwd, site):
    return subprocess.run(
        [sys.executable, "-m", "campaign", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_documented_phase_is_listed_run_judged_and_shown(tmp_path, cave, plugins):
    listed = campaign("phases", cwd=tmp_path, site=plugins).stdout
    assert "dragon" in listed
    assert "no_such_module" in listed  # a broken plug-in is named and stops nothing
    file = tmp_path / "dragon.yaml"
    file.write_text(
        f"name: Cave\ntarget: {{url: {cave}, health: GET /health}}\nphases: {{dragon: {{slowest: 30s}}}}\n"
    )
    done = campaign("run", "dragon.yaml", cwd=tmp_path, site=plugins)
    assert done.returncode == 0, done.stdout + done.stderr
    (page,) = tmp_path.glob("reports/*/report.html")
    assert "The dragon answered <b>200</b>" in page.read_text()


def test_its_settings_are_checked_like_ours(tmp_path, cave, plugins):
    file = tmp_path / "dragon.yaml"
    file.write_text(f"name: Cave\ntarget: {{url: {cave}}}\nphases: {{dragon: {{slowest: soon}}}}\n")
    done = campaign("check", "dragon.yaml", cwd=tmp_path, site=plugins)
    assert done.returncode == 2
    assert "dragon.yaml:3" in done.stderr
    assert "a duration such as" in done.stderr


def test_a_partial_with_a_mistake_costs_only_its_own_box(tmp_path, cave, plugins):
    (plugins / "dragon" / "page.html").write_text("{% for x in %}")
    (tmp_path / "dragon.yaml").write_text(
        f"name: Cave\ntarget: {{url: {cave}}}\nphases: {{dragon: {{slowest: 30s}}}}\n"
    )
    done = campaign("run", "dragon.yaml", cwd=tmp_path, site=plugins)
    assert done.returncode == 0
    (page,) = tmp_path.glob("reports/*/report.html")
    assert "dragon.answer_time" in page.read_text()
    assert "TemplateSyntaxError" in page.read_text()


def test_a_partial_that_cannot_be_found_costs_only_its_own_box(tmp_path, cave, plugins):
    (plugins / "dragon" / "page.html").unlink()
    (tmp_path / "dragon.yaml").write_text(
        f"name: Cave\ntarget: {{url: {cave}}}\nphases: {{dragon: {{slowest: 30s}}}}\n"
    )
    assert campaign("run", "dragon.yaml", cwd=tmp_path, site=plugins).returncode == 0
    (page,) = tmp_path.glob("reports/*/report.html")
    assert "cannot be read" in page.read_text()
