"""The example with containers, as far as it can be tried without pulling an image."""

import ast
import sys
from pathlib import Path

import pytest
import yaml

from campaign.demo.__main__ import _parser

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "examples/compose.yaml").read_text())
CAMPAIGN = yaml.safe_load((ROOT / "examples/compose-campaign.yaml").read_text())
DOCKERFILE = (ROOT / "examples/Dockerfile").read_text()
NAMES_ON_PYPI = {"prometheus_client": "prometheus-client", "psycopg": "psycopg[binary]"}
COME_WITH_OTHERS = {"anyio", "pydantic", "starlette"}  # with FastAPI


def test_the_campaign_names_containers_of_the_compose_file():
    named = CAMPAIGN["target"]["containers"]
    assert set(named) == set(COMPOSE["services"])
    assert set(named.values()) == {f"compose={COMPOSE['name']}/{name}" for name in named}


def test_the_service_takes_its_options_and_goes_where_the_others_are():
    command = COMPOSE["services"]["service"]["command"]
    options = _parser().parse_args(command[3:])
    assert options.database_patience_s == 60
    for url in (options.database_url, options.redis_url, f"tcp://{options.companion}"):
        host = url.partition("://")[2].rpartition("@")[2].partition(":")[0]
        assert host in COMPOSE["services"]


def test_only_loopback_can_reach_it():
    ports = [each for service in COMPOSE["services"].values() for each in service.get("ports", ())]
    assert ports
    assert all(each.startswith("127.0.0.1:") for each in ports)


def imported():
    for path in (ROOT / "campaign/demo").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module


@pytest.mark.parametrize("package", sorted({name.partition(".")[0] for name in imported()}))
def test_the_image_has_what_the_demo_imports(package):
    if package in sys.stdlib_module_names or package in COME_WITH_OTHERS | {"campaign"}:
        return
    assert f'"{NAMES_ON_PYPI.get(package, package)}>=' in DOCKERFILE
