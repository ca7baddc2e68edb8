"""Which of many tests hold, when chance alone would make some of them look so."""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(p_values: Sequence[float], *, rate: float = 0.05) -> tuple[bool, ...]:
    """For each p-value whether it holds, so that at most `rate` of those that hold are false on average
    (Benjamini and Hochberg 1995; tests that are alike are allowed, Benjamini and Yekutieli 2001).
    """
    count = len(p_values)
    ranked = sorted(p_values)
    bound = max((p for rank, p in enumerate(ranked, 1) if p <= rate * rank / count), default=-1.0)
    return tuple(p <= bound for p in p_values)
