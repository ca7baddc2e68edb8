# ruff: noqa: E501 - a table reads best with one case per line
"""Whatever is done to a campaign file, it is read or it is a list of mistakes; never a traceback."""

import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaign.config import Campaign, CampaignFileError, read
from campaign.registry import installed
from campaign.resources import folder

FILES = [
    folder("configs").joinpath(f"{name}.yaml").read_text(encoding="utf-8") for name in ("demo", "teddy-bear")
]
INFOS = installed().infos()
TRICKY = [
    "${", "${A}", "${A:-", "{{", "}}", "{{ x }}", "*", "&a", "*a", "!!int ", "!x ", "<<: ", "? ", ": ", "- ", "[", "]", "{", "}",
    "'", '"', "|", ">", "%", "@", "`", "#", "\t", "\n", "\r", "\x00", "\ufeff", "\u2028", "\U0001f9f8", "~", "null", "true", "-1",
    "0", ".nan", ".inf", "1e400", "9" * 400, "..", "1s..", "---\n", "...\n", "\\", "\\x", "../../etc/passwd", "/dev/zero",
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(TRICKY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
QUICKLY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def outcome(text, environ):
    try:
        return read(text, phases=INFOS, environ=environ)
    except CampaignFileError as error:
        return error


def read_or_explain(text, environ=None):
    told = outcome(text, environ or {"A": "1", "B_KEY": "secret"})
    if isinstance(told, CampaignFileError):
        assert told.mistakes
        assert str(told).endswith("nothing was run. (docs/campaign-file.md)")
    else:
        assert isinstance(told, Campaign)
        json.dumps(told.configuration)


@QUICKLY
@given(st.data())
def test_random_characters_put_in_and_taken_out(data):
    text = data.draw(st.sampled_from(FILES))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 30))
        new = data.draw(st.sampled_from(TRICKY) | st.text(max_size=5))
        text = text[:at] + new + text[at + cut :]
    read_or_explain(text)


@QUICKLY
@given(st.data())
def test_lines_taken_out_doubled_and_moved(data):
    lines = data.draw(st.sampled_from(FILES)).splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines.pop(at)
        copies = data.draw(st.integers(0, 2))
        to = data.draw(st.integers(0, len(lines)))
        lines[to:to] = [line] * copies
    read_or_explain("\n".join(lines))


def paths_in(value, path=()):
    yield path
    for key, each in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from paths_in(each, (*path, key))


@QUICKLY
@given(st.data())
def test_values_of_any_other_kind(data):
    tree = yaml.safe_load(data.draw(st.sampled_from(FILES)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([each for each in paths_in(tree) if each]))
        parent = tree
        for key in path[:-1]:
            parent = parent[key]
        if data.draw(st.booleans()):
            parent[path[-1]] = data.draw(VALUES)
        else:
            del parent[path[-1]]
    read_or_explain(yaml.safe_dump(tree, sort_keys=False, allow_unicode=True))


@QUICKLY
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_bytes(raw)
    with pytest.raises(CampaignFileError):
        read(path, phases=INFOS, environ={})


@QUICKLY
@given(st.dictionaries(st.text(alphabet="ABCDENRSTU_0129", max_size=12), st.text(max_size=10), max_size=4))
def test_any_environment(variables):
    read_or_explain(FILES[0], {f"CAMPAIGN_{name}": value for name, value in variables.items()})
