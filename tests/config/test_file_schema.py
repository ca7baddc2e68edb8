"""The JSON Schema says the same as the reader, as far as a schema can."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from campaign.config import campaign_schema, read
from campaign.registry import installed
from campaign.resources import folder

SHIPPED = ("demo", "teddy-bear")


class Plain(yaml.SafeLoader):
    """YAML 1.2, as editors and our reader take it: `on` is a word, and no truth value."""


Plain.yaml_implicit_resolvers = {
    first: [each for each in resolvers if first in "tTfF" or not each[0].endswith(":bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def plain(text):
    return yaml.load(text, Plain)  # noqa: S506 - it makes no more than a safe loader does


@pytest.fixture(scope="module")
def errors(infos):
    schema = campaign_schema(infos)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    return lambda text: [error.json_path for error in validator.iter_errors(plain(text))]


def test_a_right_file_is_right_for_the_schema(errors, good):
    assert errors(good) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hold: 2m", "hold: '${HOLD:-2}m'"),
        ("users: 10", "users: '${USERS:-10}'"),
        ("p95: 200ms", "p95: {limit: 80ms..150ms, severity: minor}"),
        ("p95: 200ms", "rate: '> 100/s'"),
        ("{converse: 5, login: 1}", "[converse, login]"),
        ("  try:\n", "  again:\n    phase: try\n"),
        ('[Hello, "Why?"]', "{values: [1], order: once}"),
        ("wait: 1s..3s", "wait: 0"),
        ("save: {token: $.token}", "save: {token: $.token}\n    expect: [200, 2xx]"),
        ("save: {token: $.token}", "save: {token: $.token}\n    expect: {status: 200, json: {$.a: 1}}"),
    ],
)
def test_every_way_to_write_a_value_is_right_for_the_schema(errors, good, read_text, old, new):
    assert old in good
    text = good.replace(old, new)
    read_text(text)
    assert errors(text) == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("hold: 2m", "hold: 5 mins", "$.phases.try"),
        ("hold: 2m", "hald: 2m", "$.phases.try"),
        ("users: 10", "users: many", "$.phases.try"),
        ("name: A campaign\n", "", "$"),
        ("target:", "targets:", "$"),
        ("request: POST /api/login", "request: api", "$.operations.login.request"),
        ("wait: 1s..3s", "wait: soon", "$.users.curious_child.wait"),
        ("  try:\n", "  tray:\n", "$.phases.tray"),
    ],
)
def test_a_wrong_file_is_wrong_for_the_schema(errors, good, old, new, path):
    assert old in good
    assert path in errors(good.replace(old, new))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_campaign_is_right_for_the_schema_and_for_the_reader(name):
    infos = installed().infos()
    text = folder("configs").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    assert list(Draft202012Validator(campaign_schema(infos)).iter_errors(plain(text))) == []
    campaign = read(text, phases=infos, environ={})
    of_hours = {"stability"}  # comes with --stability-hours
    assert {planned.kind for planned in campaign.phases} == set(infos) - of_hours


def test_the_variables_of_the_default_campaign_reach_its_settings():
    text = folder("configs").joinpath("teddy-bear.yaml").read_text(encoding="utf-8")
    environ = {
        "TARGET_URL": "https://staging.example",
        "LOAD_TEST_CONCURRENT_USERS": "500",
        "LOAD_TEST_DURATION_MINUTES": "10",
        "PERFORMANCE_MONITORING_INTERVAL": "1.5",
        "DATABASE_URL": "postgresql://localhost/teddy",
    }
    campaign = read(text, phases=installed().infos(), environ=environ)
    scenarios = next(planned for planned in campaign.phases if planned.kind == "load").settings.scenarios
    assert [each.users for each in scenarios.values()] == [50, 100, 250, 500, 500]
    assert {each.hold for each in scenarios.values()} == {600.0}
    assert (campaign.target.url, campaign.monitor.interval) == ("https://staging.example", 1.5)
    assert campaign.target.stores == {"database": "postgresql://localhost/teddy"}


def test_the_reference_names_every_key(infos):
    reference = Path(str(files("campaign"))).parent / "docs" / "campaign-file.md"
    if not reference.is_file():
        pytest.skip("no docs beside an installed package")
    of_safety = reference.with_name("safety.md")  # a page of its own, as it has as many keys as all others
    text = reference.read_text(encoding="utf-8") + of_safety.read_text(encoding="utf-8")
    schema = campaign_schema(installed().infos())
    keys = {key for each in [schema, *schema["$defs"].values()] for key in each.get("properties", {})}
    keys |= {
        key
        for each in schema["$defs"].values()
        for form in each.get("anyOf", ())
        for key in form.get("properties", {})
    }
    assert sorted(key for key in keys if f"`{key}`" not in text) == []


def test_the_example_of_the_reference_is_a_campaign():
    reference = Path(str(files("campaign"))).parent / "docs" / "campaign-file.md"
    if not reference.is_file():
        pytest.skip("no docs beside an installed package")
    (example,) = re.findall(r"```yaml\n(.*?)```", reference.read_text(encoding="utf-8"), re.DOTALL)
    assert read(example, phases=installed().infos(), environ={}).name == "Shop"
