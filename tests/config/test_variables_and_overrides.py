# ruff: noqa: PLR0917 - the columns of the tables
"""What comes from outside the file: ${VAR} in it, CAMPAIGN_<PATH> over it, the command line over both."""

import pytest

from campaign.config import CampaignFileError
from campaign.config.source import load
from campaign.config.variables import expand


@pytest.mark.parametrize(
    ("text", "environ", "result"),
    [
        ("${A}", {"A": "x"}, "x"),
        ("a${A}b${B}c", {"A": "1", "B": "2"}, "a1b2c"),
        ("${A:-d}", {}, "d"),
        ("${A:-d}", {"A": ""}, "d"),
        ("${A:-d}", {"A": "x"}, "x"),
        ("${A:-}", {}, ""),
        ("${A:-http://h:1/p?q=1}", {}, "http://h:1/p?q=1"),
        ("${A}", {"A": ""}, ""),
        ("$${A}", {"A": "x"}, "${A}"),
        ("$A {{ b }} $", {"A": "x"}, "$A {{ b }} $"),
        ("${A}", {"A": "${B}", "B": "no"}, "${B}"),
    ],
)
def test_a_variable_is_replaced_once(text, environ, result):
    expansion = expand(text, environ)
    assert (expansion.text, expansion.unset, expansion.broken) == (result, [], False)


@pytest.mark.parametrize(
    "text", ["${", "${}", "${A", "${1}", "${A:-${B}}", "${A:d}", "${A-d}", "${a b}", "$${ ${"]
)
def test_a_broken_reference_is_noticed(text):
    assert expand(text, {"A": "x", "B": "y"}).broken


def test_unset_variables_are_listed():
    assert expand("${A} ${B:-b} ${C}", {}).unset == ["A", "C"]


@pytest.mark.parametrize(
    ("written", "value", "read_as"),
    [
        ("${A}", "80", 80),
        ("${A}", "0.5", 0.5),
        ("${A}", "true", True),
        ("${A}", "", None),
        ("${A}", "0080", "0080"),
        ("${A}", "1e5", "1e5"),
        ("${A}", "1.50", "1.50"),
        ("${A}", "null", "null"),
        ("${A}", "[1, 2]", "[1, 2]"),
        ("${A}", "x: y", "x: y"),
        ("${A}", "!!python/x", "!!python/x"),
        ("'${A}'", "80", "80"),
        ("${A}m", "80", "80m"),
    ],
)
def test_what_a_variable_brings_is_a_plain_value_and_never_structure(written, value, read_as):
    read = load(f"a: {written}", "c.yaml", environ={"A": value}).data["a"]
    assert (read, type(read)) == (read_as, type(read_as))


def test_a_variable_that_is_nearly_set_is_suggested(mistakes_of, good):
    (mistake,) = mistakes_of(
        good.replace("${TARGET_URL:-http://127.0.0.1:8000}", "${TARGET_URI}"), environ={"TARGET_URL": "x"}
    )
    assert (mistake.key, mistake.suggestion) == ("target.url", "TARGET_URL")


def test_the_command_line_goes_before_the_environment_before_the_file(read_text, good):
    environ = {"CAMPAIGN_TARGET__URL": "http://env:1", "CAMPAIGN_NAME": "From env"}
    overrides = {("target", "url"): ("http://option:2", "--target")}
    campaign = read_text(good, environ=environ, overrides=overrides)
    assert (campaign.name, campaign.target.url) == ("From env", "http://option:2")
    assert read_text(good, environ=environ).target.url == "http://env:1"
    assert read_text(good, environ={"TARGET_URL": "http://var:3"}).target.url == "http://var:3"


@pytest.mark.parametrize(
    ("name", "value", "get", "result"),
    [
        (
            "CAMPAIGN_PHASES__TRY__SCENARIOS__PEAK__USERS",
            "7",
            lambda c: c.phases[0].settings.scenarios["peak"].users,
            7,
        ),
        ("CAMPAIGN_phases__try__WORKERS", "3", lambda c: c.phases[0].settings.workers, 3),
        ("CAMPAIGN_SCORING__PASS", "55.5", lambda c: c.scoring.pass_mark, 55.5),
        ("CAMPAIGN_SCORING__WEIGHTS__SAFETY", "1", lambda c: c.scoring.weights["safety"], 1.0),
        ("CAMPAIGN_DATA__PROMPT__1", "Hi", lambda c: c.vocabulary.feeds["prompt"].values, ("Hello", "Hi")),
        ("CAMPAIGN_TARGET__ENVIRONMENT", "", lambda c: c.target.environment, ""),
        ("CAMPAIGN_TARGET__TLS__VERIFY", "false", lambda c: c.target.tls.verify, False),
    ],
)
def test_any_key_can_be_set_from_the_environment(read_text, good, name, value, get, result):
    assert get(read_text(good, environ={name: value})) == result


def test_a_key_with_a_hyphen_is_written_with_an_underscore(read_text, good):
    text = good.replace("peak:", "Peak-Load:")
    campaign = read_text(text, environ={"CAMPAIGN_PHASES__TRY__SCENARIOS__PEAK_LOAD__USERS": "7"})
    assert campaign.phases[0].settings.scenarios["Peak-Load"].users == 7


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "CAMPAIGN_TARGET__ULR",
            "x",
            ["CAMPAIGN_TARGET__ULR  target.ulr", "an unknown key", "did you mean  url"],
        ),
        ("CAMPAIGN_TARGETS", "x", ["CAMPAIGN_TARGETS  targets", "did you mean  target"]),
        (
            "CAMPAIGN_TARGET__URL",
            "ftp://x",
            ["CAMPAIGN_TARGET__URL  target.url", '"ftp://x"', "http or https"],
        ),
        ("CAMPAIGN_TARGET__URL__HOST", "x", ["CAMPAIGN_TARGET__URL__HOST", "cannot be set"]),
        ("CAMPAIGN_DATA__PROMPT__9", "x", ["CAMPAIGN_DATA__PROMPT__9", "cannot be set"]),
        ("CAMPAIGN_DATA__PROMPT__" + "9" * 5000, "x", ["cannot be set"]),
        ("CAMPAIGN_", "x", ["CAMPAIGN_", "an unknown key"]),
        ("CAMPAIGN___", "x", ["CAMPAIGN___", "an unknown key"]),
        ("CAMPAIGN_PHASES__LODE__USERS", "1", ["CAMPAIGN_PHASES__LODE__USERS  phases.lode", "not installed"]),
    ],
)
def test_a_mistake_from_the_environment_names_the_variable(read_text, good, name, value, words):
    with pytest.raises(CampaignFileError) as caught:
        read_text(good, environ={name: value})
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_mistake_from_the_command_line_names_the_option(mistakes_of, good):
    overrides = {
        ("target", "url"): ("nowhere", "--target"),
        ("phases", "soak", "hours"): (24, "--stability-hours"),
    }
    told = [str(each).splitlines()[0] for each in mistakes_of(good, overrides=overrides)]
    assert told == ["--stability-hours  phases.soak", "--target  target.url"]


def test_an_option_heals_what_it_replaces(read_text, good):
    text = good.replace("${TARGET_URL:-http://127.0.0.1:8000}", "${NOT_SET}")
    assert read_text(text, overrides={("target", "url"): ("http://a", "--target")}).target.url == "http://a"


def test_an_option_may_bring_a_part_that_the_file_does_not_have(read_text, good):
    campaign = read_text(good, overrides={("target", "database"): ("sqlite:///x", "--database-url")})
    assert campaign.target.stores == {"database": "sqlite:///x"}
