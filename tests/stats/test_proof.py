"""What it takes to prove a share, and what pairs and clusters say."""

import pytest

from campaign.stats.proof import (
    Verdict,
    design_effect,
    design_effect_of,
    error_share,
    fewest_items,
    mcnemar,
    wilson,
)


@pytest.mark.parametrize(("errors", "items"), [(0, 2995), (1, 4742), (2, 6294), (3, 7752), (5, 10511)])
def test_the_items_that_prove_one_error_in_a_thousand_are_those_of_clopper_and_pearson(errors, items):
    assert fewest_items(0.001, errors=errors) == items
    assert error_share(errors, items).verdict(0.001) is Verdict.PROVEN
    assert error_share(errors, items - 1).verdict(0.001) is Verdict.UNDECIDED


def test_a_share_that_lies_above_the_target_as_a_whole_is_refuted():
    assert error_share(10, 3000).verdict(0.001) is Verdict.REFUTED
    assert error_share(5, 3000).verdict(0.001) is Verdict.UNDECIDED
    assert error_share(0, 0).verdict(0.999) is Verdict.UNDECIDED


def test_what_may_have_been_an_error_takes_a_proof_away_and_refutes_nothing():
    assert error_share(0, 3000, doubtful=1).verdict(0.001) is Verdict.UNDECIDED
    assert error_share(0, 3000, doubtful=3000).verdict(0.001) is Verdict.UNDECIDED


def test_no_flip_in_three_thousand_pairs_bounds_the_degradation_below_one_in_a_thousand():
    assert error_share(0, 3000).high == pytest.approx(0.000998, abs=1e-6)


def test_twenty_variants_that_are_half_correlated_divide_their_number_by_ten_and_a_half():
    assert design_effect_of(0.5, 20) == 10.5


def test_errors_that_come_in_whole_templates_count_as_one_observation_each():
    together = [(20, 20)] * 5 + [(0, 20)] * 95
    assert design_effect(together) == pytest.approx(20, rel=0.02)
    assert error_share(100, 2000, design=20).effective == 100
    assert error_share(100, 2000, design=20).high > error_share(100, 2000).high
    spread = [(1, 20)] * 100
    assert design_effect(spread) == 1
    assert design_effect([(0, 20)] * 100) == 1
    assert design_effect([(3, 20)]) == 1


def test_pairs_that_only_get_worse_are_not_luck():
    assert mcnemar(0, 5) == 1
    assert mcnemar(5, 0) == pytest.approx(1 / 32)
    assert mcnemar(10, 2) == pytest.approx(79 / 4096)  # C(12,10) + C(12,11) + C(12,12) of 2^12
    assert mcnemar(4, 4) > 0.5


def test_limits_to_look_at_are_those_of_wilson():
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 0) == (0, 1)
