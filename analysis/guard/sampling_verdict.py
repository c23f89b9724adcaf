"""Whether an engine's numbers may be relied on: its worst diagnostics, held to thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
from .verdicts import Verdict, worst


def judge_sampling(found: Mapping[str, Any]) -> dict[str, Any]:
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
    dict
        The same as plain numbers, with ``verdict`` and ``reason``.
    """
    plain = {key: None if _missing(value) else value for key, value in found.items()}
    if plain["divergences"] is None:
        return {**plain, **_judge_integrals(plain.get("numerical_error"))}
    problems = [each for each in _problems(plain) if each[0] != "pass"]
    told = [text for _, text in problems] or ["the chains agree and have draws enough"]
    sentence = "; ".join(told)
    verdict = worst(found for found, _ in problems)
    return {**plain, "verdict": verdict, "reason": f"{sentence[0].upper()}{sentence[1:]}."}


def _judge_integrals(error: float | None) -> dict[str, str]:
    told = "Integrated numerically, not sampled"
    if error is None:
        return {"verdict": "pass", "reason": f"{told}."}
    if error <= TOLERANCE:
        reason = f"{told}: no error above {TOLERANCE:g} (of an SD, where that is above one)."
        return {"verdict": "pass", "reason": reason}
    reason = f"{told}, to an error of {error:.1g}, above {TOLERANCE:g}: compare with the sampler."
    return {"verdict": _level(True, error > FAILING_NUMERICAL_ERROR), "reason": reason}


def _problems(found: Mapping[str, Any]) -> list[tuple[Verdict, str]]:
    """Judge each diagnostic, with what to say of it where it does not pass."""
    r_hat, energy, draws = found["max_r_hat"], found["e_bfmi"], found["draws"]
    divergences, sizes = found["divergences"], (found["min_ess_bulk"], found["min_ess_tail"])
    judged: list[tuple[Verdict, str]] = []
    # A chain by itself may well be right: nothing tells, so that it is no failure but never passes.
    if r_hat is None:
        told = "R-hat cannot be computed: it takes two chains or more, and a few draws of each"
        judged.append(("warn", told))
    else:
        told = f"chains disagree: R-hat reaches {r_hat:.3f}, not below {LARGEST_R_HAT}"
        judged.append((_level(r_hat >= LARGEST_R_HAT, r_hat >= FAILING_R_HAT), told))
    if None in sizes:
        judged.append(("fail", "effective draws cannot be computed: draw more"))
    else:
        fewest = min(sizes)
        told = f"too few effective draws: {fewest:.0f}, not above {LEAST_EFFECTIVE_DRAWS}"
        level = _level(fewest <= LEAST_EFFECTIVE_DRAWS, fewest <= FAILING_EFFECTIVE_DRAWS)
        judged.append((level, told))
    share = divergences / draws
    level = _level(share > LARGEST_DIVERGENT_SHARE, share > FAILING_DIVERGENT_SHARE)
    judged.append((level, f"{divergences} of {draws} draws diverged"))
    if energy is None:
        judged.append(("fail", "E-BFMI cannot be computed: draw more"))
    else:
        told = f"E-BFMI is {energy:.2f}, not above {LEAST_E_BFMI}"
        judged.append((_level(energy <= LEAST_E_BFMI, energy <= FAILING_E_BFMI), told))
    return judged


def _level(warns: bool, fails: bool) -> Verdict:
    return "fail" if fails else "warn" if warns else "pass"


def _missing(value: Any) -> bool:
    return value is None or math.isnan(value)
