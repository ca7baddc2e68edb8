"""The documentation says what the code does: commands, options, error slugs, weights, links."""

import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest
import yaml

import campaign
from campaign import errors
from campaign.cli.aliases import ALIASES
from campaign.config.read import read
from campaign.demo.defects import DEFECTS
from campaign.registry import installed
from campaign.scoring import DEFAULT_WEIGHTS

ROOT = Path(__file__).parents[2]
DOCS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def document_commands():
    spec = importlib.util.spec_from_file_location(
        "document_commands", ROOT / "scripts" / "document_commands.py"
    )
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_every_command_and_option_is_on_the_page_of_commands():
    script, page = document_commands(), text("docs/commands.md")
    for command in script.COMMANDS:
        section = page.partition(f"## campaign {command}\n")[2].partition("\n## ")[0]
        options = set(re.findall(r"--[a-z][a-z-]+", script.help_of(command)))
        assert set() == options - set(re.findall(r"--[a-z][a-z-]+", section)), command


def every_error():
    for module in pkgutil.walk_packages(campaign.__path__, "campaign."):
        if not module.name.startswith(("campaign.demo", "campaign.__main__")):
            importlib.import_module(module.name)
    found = [errors.CampaignError]
    for each in found:
        found.extend(each.__subclasses__())
    return {each.slug for each in found}


def test_every_error_slug_has_its_heading():
    headings = set(re.findall(r"^## ([a-z-]+)$", text("docs/errors.md"), re.MULTILINE))
    assert every_error() <= headings


@pytest.mark.parametrize("page", ["README.md", "docs/scoring.md", "docs/campaign-file.md"])
def test_every_required_page_is_there_and_says_something(page):
    assert len(text(page)) > 1000


def test_every_old_spelling_is_documented():
    assert [name for name in ALIASES if f"`{name}`" not in text("docs/commands.md")] == []


def test_every_defect_of_the_demo_is_named_in_the_changelog():
    assert [name for name in DEFECTS if f"`{name}`" not in text("CHANGELOG.md")] == []


def test_every_installed_phase_and_its_weight_are_documented():
    scoring = text("docs/scoring.md")
    assert [name for name in installed().phases if name not in scoring] == []
    assert [
        name
        for name, weight in DEFAULT_WEIGHTS.items()
        if f"{name} {weight:g}" not in scoring.replace("\n", " ")
    ] == []


@pytest.mark.parametrize("page", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_campaign_file_in_the_readme_is_right():
    (example,) = [
        block for block in re.findall(r"```yaml\n(.*?)```", text("README.md"), re.DOTALL) if "name:" in block
    ]
    assert yaml.safe_load(example)["name"] == "My service"
    assert read(example, phases=installed().infos(), environ={}).name == "My service"


def test_the_architecture_fits_on_its_page():
    assert len(text("docs/architecture.md").splitlines()) < 150


def test_every_defect_was_found_by_the_phase_that_speaks_of_it():
    page = text("docs/defects.md")
    rows = {found[0]: found[1] for found in re.findall(r"^\| `([a-z-]+)` \| (.*)$", page, re.MULTILINE)}
    there = {name: defect for name, defect in DEFECTS.items() if defect.found_by in installed().phases}
    assert set(rows) == set(there)
    assert [name for name, row in rows.items() if "not found" in row] == []
    assert [name for name, row in rows.items() if not row.startswith(there[name].found_by)] == []
