"""How much of a disease's level comes from its own data, and how much from all else.

The posterior of a level has two slopes: that of the log likelihood of the disease's own studies,
and that of what everything else says of the level. Minus their posterior covariances with the level
add up to one (Stein's identity), whatever the distributions. The first is the share of the own
data: the level would follow a small shift of the own data by this share of it, and a small shift of
all else by the rest. It is 0 without own data and 1 where nothing else matters; where all is normal
it is the precision weight, and n / (n + a + b) where n patients meet a beta(a, b). It exceeds 1
where own data and the rest are so far apart that the rest is discounted the more, the farther the
level goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...data.evidence import Evidence
from ...models.exact.outcomes import exact_model
from ...models.exact.predictions import own_shares as exact_shares
from ..fitting import predict
from ..guard.disease_left import only_units
from .compare_exactly import integrable_blocks
from .reweight import Block, Source, blocks_of
from .weighted_statistics import batch_error

#: Draws for which every study's likelihood is integrated anew, and the step of its slope.
_DRAWS, _STEP = 1000, 1e-3


def own_shares(evidence: Evidence, source: Source) -> pd.DataFrame:
    """Give the share of every disease's level that comes from its own data.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    source : Source
        Draws of its posterior.

    Returns
    -------
    pandas.DataFrame
        One row an outcome and disease: ``outcome``, ``disease``, ``own_share`` and
        ``own_share_mcse``; integrated where the outcome can be, else from the draws. For an outcome
        within another, of its level among the patients who have the other.

    References
    ----------
    Stein 1981, doi 10.1214/aos/1176345632.
    """
    integrable = integrable_blocks(evidence, source.terms, source.pooling)
    sampled = [block for block in blocks_of(source.terms) if block not in integrable]
    rows = []
    names = [name for block in integrable for name in block]
    fit = exact_model(evidence, source.pooling, names).fit(source.priors, verify=False)
    for name, posterior in fit.posteriors.items():
        table = exact_shares(posterior).rename(columns={"error": "own_share_mcse"})
        rows += table.assign(outcome=name).to_dict("records")
    if sampled:
        rows += sampled_shares(source, sampled)
    return pd.DataFrame(rows)[["outcome", "disease", "own_share", "own_share_mcse"]]


def sampled_shares(source: Source, blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Give the rows of `own_shares` for some outcomes with their children, from draws."""
    terms = source.terms
    step = max(len(source) // _DRAWS, 1)
    theta, sigma = source.draws["theta"][::step], source.draws["sigma"][::step]
    beta = source.draws["beta"][::step] if "beta" in source.draws else None
    heads = [terms.names.index(block[0]) for block in blocks]
    units = terms.units["outcome"].isin(heads).to_numpy()
    some = only_units(terms, np.flatnonzero(units))

    def log_likelihood(levels: np.ndarray) -> np.ndarray:
        return predict.integrated_log_likelihood(
            predict.Levels.of_diseases(sigma, levels, beta=beta), some
        )

    rows = []
    # Outcomes of different blocks have independent posteriors: their slopes are taken at once.
    for place in range(max(map(len, blocks))):
        outcomes = [block[place] for block in blocks if len(block) > place]
        codes = [terms.names.index(name) for name in outcomes]
        slopes = _slopes(log_likelihood, theta, codes)
        for name, code in zip(outcomes, codes, strict=True):
            block = next(block for block in blocks if name in block)
            of_block = terms.units["outcome"].to_numpy() == terms.names.index(block[0])
            for d, disease in enumerate(terms.diseases):
                own = of_block & (terms.units["disease"].to_numpy() == d)
                share, error = _share(theta[:, code, d], slopes[:, own].sum(axis=1), source.chains)
                about = {"outcome": name, "disease": disease}
                rows.append(about | {"own_share": share, "own_share_mcse": error})
    return rows


def _slopes(
    log_likelihood: Callable[[np.ndarray], np.ndarray], theta: np.ndarray, codes: Sequence[int]
) -> np.ndarray:
    """Give the slope of every unit's log likelihood in its disease's level of some outcomes."""
    ends = []
    for sign in (1, -1):
        moved = theta.copy()
        moved[:, codes] += sign * _STEP
        ends.append(log_likelihood(moved))
    return (ends[0] - ends[1]) / (2 * _STEP)


def _share(level: np.ndarray, slope: np.ndarray, chains: int) -> tuple[float, float]:
    """Give minus the covariance of a level and a slope, and its Monte-Carlo error."""
    product = -(level - level.mean()) * (slope - slope.mean())
    return float(product.mean()), float(batch_error(product, chains))
