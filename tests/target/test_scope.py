"""Users draw their values from seeds and feeds, each its own and always the same."""

import re
import time

import pytest

from campaign.errors import ConfigurationError
from campaign.target.fake import FAKES
from campaign.target.feeds import FeedExhaustedError, open_feeds
from campaign.target.scope import RenderError, Scope
from campaign.target.spec import FeedSpec
from campaign.target.template import compile_text

EVERYTHING = compile_text(
    " ".join(f"{{{{ fake.{name} }}}}" for name in FAKES)
    + "{{ random.int(1, 999) }} {{ random.float(0, 1) }} {{ pick }}"
)


def feeds(order="in_turn", values=("a", "b", "c"), **share):
    return open_feeds({"pick": FeedSpec("pick", values, order)}, **share)


def scope(number=1, seed=0, **kwargs):
    return Scope(number, seed=seed, feeds=kwargs.pop("feeds", None) or feeds("random"), **kwargs)


def drawn(user, count):
    items = []
    for _ in range(count):
        items.append(user.draw("pick"))
        user.next_iteration()
    return items


def test_the_same_seed_and_user_give_the_same_values_and_others_give_others():
    assert EVERYTHING.render(scope(3, 5)) == EVERYTHING.render(scope(3, 5))
    assert EVERYTHING.render(scope(3, 5)) != EVERYTHING.render(scope(4, 5))
    assert EVERYTHING.render(scope(3, 5)) != EVERYTHING.render(scope(3, 6))


def test_no_address_is_given_twice_over_seeds_users_and_calls():
    seeds = [1, 11, "1/peak", "1/baseline"]
    emails = [
        user.fake.email()
        for seed in seeds
        for number in range(1, 40)
        for user in [scope(number, seed)]
        for _ in "123"
    ]
    emails += [user.fake.email() for user in [scope(1, 2)] for _ in range(200)]
    assert len(set(emails)) == len(emails) == 4 * 39 * 3 + 200
    assert all(re.fullmatch(r"[a-z0-9.]+@example\.com", email) for email in emails)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("phone", r"\+1-\d{3}-555-01\d\d"),
        ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("password", r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d)(?=.*-).{12,}"),
        ("name", r"\w+ \w+"),
        ("sentence", r"Tell me how .+\."),
    ],
)
def test_made_up_data_has_its_form(name, pattern):
    user = scope()
    assert all(re.fullmatch(pattern, FAKES[name](user.fake)) for _ in range(200))


def test_a_child_is_of_an_age_for_a_toy():
    years = {scope(number).fake.birth_year() for number in range(100)}
    assert {time.gmtime().tm_year - year for year in years} == set(range(4, 12))


def test_a_user_that_needs_no_luck_has_no_generator():
    user = scope(feeds=feeds())
    compile_text("{{ user.id }} {{ pick }} {{ now.unix }}").render(user)
    assert user._random is None


def test_in_turn_user_k_starts_at_item_k_and_goes_on():
    assert drawn(scope(2, feeds=feeds()), 4) == ["b", "c", "a", "b"]
    assert drawn(scope(5, feeds=feeds()), 2) == ["b", "c"]


def test_an_item_stays_the_same_within_an_iteration():
    user = scope(1, feeds=feeds())
    text = compile_text("{{ pick }}{{ pick }}")
    first = text.render(user)
    user.next_iteration()
    assert (first, text.render(user), user.iteration) == ("aa", "bb", 1)


def test_a_saved_value_outlives_iterations():
    user = scope(1, feeds=feeds())
    user.values["token"] = "t"
    user.draw("pick")
    user.next_iteration()
    assert user.values == {"token": "t"}


def test_per_user_each_keeps_its_own_item():
    shared = feeds("per_user")
    assert [drawn(scope(n, feeds=shared), 3) for n in (1, 2, 4)] == [["a"] * 3, ["b"] * 3, ["a"] * 3]


def test_once_no_item_is_given_twice_over_users_and_workers():
    values = tuple(range(10))
    items = []
    for worker in range(3):
        shared = feeds("once", values, worker=worker, workers=3)
        users = [scope(number, feeds=shared) for number in (1, 2)]
        dealt = len(range(worker, 10, 3))
        items += [drawn(users[turn % 2], 1)[0] for turn in range(dealt)]
        for user in users:
            with pytest.raises(FeedExhaustedError, match="'pick' has no item left"):
                user.draw("pick")
    assert sorted(items) == list(values)


def test_at_random_every_item_comes_up():
    assert set(drawn(scope(1, feeds=feeds("random")), 100)) == {"a", "b", "c"}


def test_an_empty_feed_is_a_mistake_of_the_file():
    with pytest.raises(ConfigurationError, match="'pick' holds no values"):
        feeds(values=())


def test_a_name_that_is_no_feed_has_no_value():
    with pytest.raises(RenderError, match="variable 'token' has no value yet"):
        scope().draw("token")
