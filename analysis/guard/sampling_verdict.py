"""Whether an engine's numbers may be relied on: its worst diagnostics, held to thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...data.names import numbered
from ...models.exact.hierarchy import TOLERANCE
from ..fitting.diagnostics import (
    FAILING_DIVERGENT_SHARE,
    FAILING_E_BFMI,
    FAILING_EFFECTIVE_DRAWS,
    FAILING_NUMERICAL_ERROR,
    FAILING_R_HAT,
    LARGEST_DIVERGENT_SHARE,
    LARGEST_R_HAT,
    LEAST_E_BFMI,
    LEAST_EFFECTIVE_DRAWS,
)
from .result import Check
from .verdicts import Verdict, worst


def judge_sampling(found: Mapping[str, Any]) -> Check:
    """Judge the sampler's diagnostics.

    Parameters
    ----------
    found : mapping
        The worst of every reported quantity: ``max_r_hat``, ``min_ess_bulk``, ``min_ess_tail``,
        ``divergences``, ``e_bfmi``, and the number of ``draws``. All are missing where nothing was
        sampled; of one chain R-hat is, and of a few draws every one may be. ``numerical_error``
        is the largest error of integrals, in SDs of what spreads wider than one, missing where
        nothing was integrated.

    Returns
    -------
    Check
        With the same as plain numbers in its ``details``.
    """
    plain = {key: None if _missing(value) else value for key, value in found.items()}
    if plain["divergences"] is None:
        verdict, reason = _judge_integrals(plain.get("numerical_error"))
        return Check("sampling", verdict, reason=reason, details=plain)
    problems = [each for each in _problems(plain) if each[0] != "pass"]
    sentences = [text for _, text in problems] or ["the chains agree and have draws enough"]
    sentence = "; ".join(sentences)
    reason = f"{sentence[0].upper()}{sentence[1:]}."
    verdict = worst(found for found, _ in problems)
    return Check("sampling", verdict, reason=reason, details=plain)


def _judge_integrals(error: float | None) -> tuple[Verdict, str]:
    sentence = "Integrated numerically, not sampled"
    if error is None:
        return "pass", f"{sentence}."
    if error <= TOLERANCE:
        reason = f"{sentence}: no error above {TOLERANCE:g} (of an SD, where that is above one)."
        return "pass", reason
    reason = (
        f"{sentence}, to an error of {error:.1g}, above {TOLERANCE:g}: compare with the sampler."
    )
    return _level(True, error > FAILING_NUMERICAL_ERROR), reason


def _problems(found: Mapping[str, Any]) -> list[tuple[Verdict, str]]:
    """Judge each diagnostic, with what to say of it where it does not pass."""
    r_hat, energy, draws = found["max_r_hat"], found["e_bfmi"], found["draws"]
    divergences, sizes = found["divergences"], (found["min_ess_bulk"], found["min_ess_tail"])
    judged: list[tuple[Verdict, str]] = []
    # A chain by itself may well be right: nothing tells, so that it is no failure but never passes.
    if r_hat is None:
        sentence = "R-hat cannot be computed: it takes two chains or more, and a few draws of each"
        judged.append(("warn", sentence))
    else:
        sentence = f"chains disagree: R-hat reaches {r_hat:.3f}, not below {LARGEST_R_HAT}"
        judged.append((_level(r_hat >= LARGEST_R_HAT, r_hat >= FAILING_R_HAT), sentence))
    if None in sizes:
        judged.append(("fail", "effective draws cannot be computed: draw more"))
    else:
        fewest = min(sizes)
        sentence = f"too few effective draws: {fewest:.0f}, not above {LEAST_EFFECTIVE_DRAWS}"
        level = _level(fewest <= LEAST_EFFECTIVE_DRAWS, fewest <= FAILING_EFFECTIVE_DRAWS)
        judged.append((level, sentence))
    share = divergences / draws
    level = _level(share > LARGEST_DIVERGENT_SHARE, share > FAILING_DIVERGENT_SHARE)
    judged.append((level, f"{divergences} of {numbered(draws, 'draw')} diverged"))
    if energy is None:
        judged.append(("fail", "E-BFMI cannot be computed: draw more"))
    else:
        sentence = f"E-BFMI is {energy:.2f}, not above {LEAST_E_BFMI}"
        judged.append((_level(energy <= LEAST_E_BFMI, energy <= FAILING_E_BFMI), sentence))
    return judged


def _level(warns: bool, fails: bool) -> Verdict:
    return "fail" if fails else "warn" if warns else "pass"


def _missing(value: Any) -> bool:
    return value is None or math.isnan(value)
