"""What more concurrency brings: the universal scalability law (Gunther 2007).

X(N) = rate N / (1 + sigma (N-1) + kappa N (N-1)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from campaign.stats.gaps import Gappy, Numbers, without_gaps

LEVELS = 6
"""Different levels at least: three parameters, and as many to judge them by."""

LOWEST = 10
"""The lowest level at most, as the rate is what one brings alone."""

RESAMPLES = 2000
"""Ladders drawn anew; with a few hundred the ends of the intervals are short by what chance makes of them."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ScalabilityLaw:
    """The law and the 95 % interval of each parameter.

    `rate` is what one brings alone, `sigma` the share that waits for its turn, `kappa` the cost of agreeing.
    `peak_n` and `peak_x` are where throughput is greatest; None where no peak can be claimed: kappa may be
    zero, or the peak lies beyond `trusted_up_to`, twice the largest level that was measured.
    """

    rate: float
    sigma: float
    kappa: float
    rate_interval: Interval
    sigma_interval: Interval
    kappa_interval: Interval
    trusted_up_to: float
    peak_n: float | None = None
    peak_x: float | None = None

    def throughput(self, n: float) -> float | None:
        """What the law foretells at `n`; None beyond where it may be trusted."""
        return None if n > self.trusted_up_to else law(n, self.rate, self.sigma, self.kappa)


@dataclass(frozen=True, slots=True)
class NoLaw:
    """Why no law can be had from these levels."""

    reason: str


def law(n: float, rate: float, sigma: float, kappa: float) -> float:
    """Throughput at the concurrency `n`."""
    return rate * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))


def fit_scalability(n: Gappy, x: Gappy, *, seed: int = 0) -> ScalabilityLaw | NoLaw:
    """The law that fits throughput `x` at the concurrency `n` really in flight (Little), not the users.

    As N / X is linear in 1, sigma and kappa over the rate, it is a least-squares fit with none of them below
    zero, by relative error. The intervals come from a parametric bootstrap, which also knows that the error
    itself is estimated.
    """
    users, rates = without_gaps(n, x)
    known = (users > 0) & (rates > 0)
    users, rates = users[known], rates[known]
    levels = len(np.unique(users))
    if levels < LEVELS:
        return NoLaw(f"{levels} levels with throughput, at least {LEVELS} are needed")
    if users.min() > LOWEST:
        return NoLaw(f"the lowest level is {users.min():g}, it must be {LOWEST} or less")
    fitted = _fit(users, rates)
    if fitted[1] > 1:
        return NoLaw("throughput falls from the lowest level on, which is no case of this law")
    drawn = np.array([_fit(users, each) for each in _drawn(users, rates, fitted, seed=seed)])
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    of_rate, of_sigma, of_kappa = ((float(least), float(most)) for least, most in zip(low, high, strict=True))
    trusted = 2 * float(users.max())
    peak = _peak(*fitted[1:], least_kappa=of_kappa[0], trusted=trusted)
    peak_x = None if peak is None else law(peak, *fitted)
    return ScalabilityLaw(*fitted, of_rate, of_sigma, of_kappa, trusted, peak, peak_x)


def _peak(sigma: float, kappa: float, *, least_kappa: float, trusted: float) -> float | None:
    if least_kappa <= 0 or kappa <= 0:
        return None
    peak = math.sqrt((1 - sigma) / kappa)
    return peak if 1 <= peak <= trusted else None


def _fit(n: Numbers, x: Numbers) -> tuple[float, float, float]:
    terms = np.column_stack([np.ones_like(n), n - 1, n * (n - 1)])
    cost = n / x
    weights = 1 / cost
    for _ in range(3):  # weighted by what was fitted, as what was measured is itself off
        found, _ = nnls(terms * weights[:, None], cost * weights)
        weights = 1 / np.maximum(terms @ found, 1e-300)
    alone = max(float(found[0]), 1e-300)
    return 1 / alone, float(found[1]) / alone, float(found[2]) / alone


def _drawn(n: Numbers, x: Numbers, fitted: tuple[float, float, float], *, seed: int) -> Numbers:
    """Ladders as they might have been measured as well."""
    random = np.random.default_rng(seed)
    expected = law(n, *fitted)  # type: ignore[arg-type]
    free = len(n) - len(fitted)
    error = math.sqrt(float(((np.log(x / expected)) ** 2).sum()) / free)
    errors = error * np.sqrt(free / random.chisquare(free, size=(RESAMPLES, 1)))
    ladders: Numbers = expected * np.exp(errors * random.standard_normal((RESAMPLES, len(n))))
    return ladders
