"""Series whose truth is known: what the statistics are held to, in tests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Numbers = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Numbers]


def ar1(phi: float) -> Noise:
    """Noise of standard deviation 1 whose neighbours are alike by `phi`."""

    def noise(random: np.random.Generator, count: int) -> Numbers:
        shocks = random.standard_normal(count) * np.sqrt(1 - phi**2)
        shocks[0] = random.standard_normal()
        made: Numbers = lfilter([1.0], [1.0, -phi], shocks)
        return made

    return noise


def sawtooth(random: np.random.Generator, count: int) -> Numbers:
    """Garbage that gathers and is collected: 40 to 200 collections, each at a height of its own."""
    length = count / random.uniform(40, 200)
    made, filled, height = np.empty(count), random.uniform(0, 2), random.uniform(2, 4)
    for place in range(count):
        filled += 3 / length * random.uniform(0.5, 1.5)
        if filled > height:
            filled, height = random.uniform(0, 0.3), random.uniform(2, 4)
        made[place] = filled
    return made + random.normal(0, 0.1, count)


def warm_up(random: np.random.Generator, count: int, *, noise: Noise) -> Numbers:
    """A level that is approached: a time constant of 1/50 to 1/4 of the series, 1 to 100 times the noise."""
    constant = count / np.exp(random.uniform(np.log(4), np.log(50)))
    height = np.exp(random.uniform(0, np.log(100)))
    risen: Numbers = height * (1 - np.exp(-np.arange(count) / constant))
    return risen + noise(random, count)


def step(random: np.random.Generator, count: int, *, noise: Noise) -> Numbers:
    """A level that rises once, anywhere, by 1 to 100 times the noise."""
    height = np.exp(random.uniform(0, np.log(100)))
    stepped: Numbers = height * (np.arange(count) > random.uniform(0.02, 0.98) * count)
    return stepped + noise(random, count)


NOISES: dict[str, Noise] = {
    "AR(1) 0": ar1(0.0),
    "AR(1) 0.8": ar1(0.8),
    "AR(1) 0.95": ar1(0.95),
    "sawtooth": sawtooth,
}
