"""No secret of a campaign file reaches a report or a message."""

import json

import pytest

from campaign.config import CampaignFileError
from campaign.config.secrets import find_secrets, masked

EXTRA = """\
  services:
    speech: {url: https://speech.example, auth: "${SPEECH_KEY}"}
    other: {url: https://other.example, auth: "Bearer literal-token"}
  database: postgresql://me:p%40ssw0rd@127.0.0.1/x
  redis: ${CACHE_URL}
  headers: {X-Api-Key: header-key, X-Kind: open-kind}
operations:
  parts:
    request: POST /
    multipart: {password: part-password, api-key: {text: part-key}, name: {text: open-part}}
  extra: {request: POST /, json: {password: body-password, name: open-name}, save: {token2: $.open_path}}
"""
ENVIRON = {
    "SPEECH_KEY": "speech-key-1",
    "CACHE_URL": "redis://:cache-pass@127.0.0.1/0",
    "TARGET_URL": "http://127.0.0.1:9",
}
SECRET = [
    "speech-key-1",
    "literal-token",
    "p%40ssw0rd",
    "p@ssw0rd",
    "cache-pass",
    "header-key",
    "body-password",
    "part-password",
    "part-key",
]
OPEN = ["open-kind", "open-part", "open-name", "open_path", "127.0.0.1:9", "example.com"]


@pytest.fixture
def campaign(read_text, good):
    return read_text(good.replace("operations:\n", EXTRA, 1), environ=ENVIRON)


def test_a_word_beside_a_template_is_no_secret():
    told = find_secrets({"json": {"password": "other {{ canary }}", "token": "Xy7-{{ id }}"}}, {})
    assert "other" not in told
    assert "Xy7-" in told


def test_the_secrets_of_a_campaign_are_found(campaign):
    assert [each for each in SECRET if each not in campaign.secrets] == []
    assert [each for each in OPEN if any(each in secret for secret in campaign.secrets)] == []


def test_the_configuration_for_the_report_holds_no_secret(campaign):
    told = json.dumps(campaign.configuration)
    assert [each for each in SECRET if each in told] == []
    assert [each for each in OPEN if each not in told] == []


def test_the_rows_of_a_data_file_stay_out_of_the_report_and_their_passwords_are_secrets(
    read_text, good, tmp_path
):
    (tmp_path / "people.csv").write_text("email,password\nann@example.com,hush-hush-1\n")
    feed = f"data:\n  people: {{file: {tmp_path}/people.csv, order: per_user}}\n"
    campaign = read_text(good.replace("data:\n", feed, 1))
    told = json.dumps(campaign.configuration)
    assert ("hush-hush-1" in told, "ann@example.com" in told) == (False, False)
    assert "hush-hush-1" in campaign.secrets
    assert campaign.configuration["data"]["people"]["count"] == 1


def test_the_requests_themselves_keep_their_secrets(campaign):
    assert campaign.target.services["speech"].auth == "speech-key-1"
    assert campaign.target.stores["database"] == "postgresql://me:p%40ssw0rd@127.0.0.1/x"


def test_a_mistake_does_not_tell_a_secret(read_text, good):
    text = good.replace("operations:\n", "  database: ${DB_PASSWORD}\noperations:\n", 1)
    with pytest.raises(CampaignFileError) as caught:
        read_text(text, environ={"DB_PASSWORD": "hunter22"})
    assert "hunter22" not in str(caught.value)
    assert '"***"' in str(caught.value)


def test_a_template_is_no_secret_and_neither_is_a_short_text():
    data = {
        "operations": {
            "a": {"auth": "{{ token }}", "json": {"password": "{{ fake.password }}", "pin_key": "123"}}
        }
    }
    assert find_secrets(data, {"API_KEY": "abc"}) == frozenset()


def test_a_word_that_only_looks_like_a_secret_is_left_alone():
    data = {
        "operations": {
            "a": {"query": {"keyword": "lamps"}, "form": {"password": "password", "max_tokens": 4096}}
        }
    }
    assert find_secrets(data, {}) == frozenset()


def test_longer_secrets_are_masked_first_and_numbers_too():
    secrets = frozenset({"abcd", "abcdef", "12345"})
    assert masked({"a abcdef": ["abcd!", 12345, 1234, True, None]}, secrets) == {
        "a ***": ["***!", "***", 1234, True, None]
    }
