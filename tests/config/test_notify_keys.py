"""Who is told outside and what ends a campaign: the keys `notify` and `stop_on` of a campaign file."""

import pytest

from campaign.config import CampaignFileError
from campaign.config.plan import NotifySettings

SLACK = "https://hooks.slack.com/services/T000/B000/abcdefgh"


@pytest.mark.parametrize(
    "url",
    [SLACK, f"{SLACK}?thread=1&b=2", "http://127.0.0.1:9000/x", "http://[::1]:9000", "http://localhost:1"],
)
def test_a_webhook_is_https_or_this_machine(good, read_text, url):
    campaign = read_text(f"{good}notify: {{webhook: '{url}'}}\n")
    assert campaign.notify == NotifySettings(url, ("violation", "alert", "ended"))
    assert url in campaign.secrets
    assert url not in str(campaign.configuration)


@pytest.mark.parametrize(
    ("key", "named", "words"),
    [
        (
            "notify: {webhook: 'http://hooks.example.com/x'}",
            "notify.webhook",
            "plain http only to this machine",
        ),
        ("notify: {webhook: 'http://127.0.0.1.example.com/x'}", "notify.webhook", "only to this machine"),
        ("notify: {webhook: 'hooks.slack.com'}", "notify.webhook", "a URL such as https://"),
        ("notify: {webhook: 'https://me:secret@hooks.example.com/x'}", "notify.webhook", "without a user"),
        ("notify: {webhook: 'https://hooks.example.com/x?a b'}", "notify.webhook", "a URL such as"),
        ("notify: {webhook: 7}", "notify.webhook", "text"),
        ("notify: {on: [violations]}", "notify.on.0", "violation"),
        ("notify: {on: []}", "notify.on", "at least 1"),
        ("notify: {hook: x}", "notify.hook", "webhook"),
        ("stop_on: ended", "stop_on", "violation"),
        ("stop_on: {a: b}", "stop_on", "a list"),
    ],
)
def test_a_mistake_is_named_and_gives_nothing_away(good, mistakes_of, key, named, words):
    text = str(CampaignFileError(mistakes_of(f"{good}{key}\n")))
    assert named in text
    assert words in text
    assert "secret@" not in text


@pytest.mark.parametrize("webhook", ["${SLACK_WEBHOOK:-}", '"${SLACK_WEBHOOK:-}"', ""])
def test_without_an_address_nobody_is_told(good, read_text, webhook):
    assert not read_text(f"{good}notify:\n  webhook: {webhook}\n").notify.webhook


@pytest.mark.parametrize("written", ["violation", "[violation]"])
def test_one_reason_to_end_may_stand_alone(good, read_text, written):
    assert read_text(f"{good}stop_on: {written}\n").stop_on == {"violation"}
    assert read_text(good).stop_on == frozenset()
