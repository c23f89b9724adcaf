"""A treated count given a study's total: what depends on the effect and on no baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaln, ndtr

from ..outcomes import Link
from ..priors.prior import Prior
from .contrast import BASELINE, contrast_likelihoods
from .standardised import by_means, effect_of_means

#: Most counts within the bounds of one side that are gone through; of more, equally many between.
_MOST = 40
#: Effects that replicated counts are tabulated at, closer about none, and the farthest.
_EFFECTS, _FARTHEST = 161, 15.0


def treated_distribution(
    n_treated: int, n_control: int, total: int, contrasts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fisher's noncentral hypergeometric distribution of the treated count, by log odds ratio.

    Parameters
    ----------
    n_treated, n_control : int
        Patients.
    total : int
        Events in both arms together.
    contrasts : numpy.ndarray, shape (contrast,)
        Log odds ratios.

    Returns
    -------
    counts : numpy.ndarray, shape (count,)
        Possible treated counts.
    probabilities : numpy.ndarray, shape (contrast, count)
        Their probabilities; rows sum to one.

    References
    ----------
    Fog 2008, doi 10.1080/03610910701790269.
    """
    counts = np.arange(max(0, total - n_control), min(n_treated, total) + 1)
    others = total - counts
    ways = -gammaln(counts + 1) - gammaln(n_treated - counts + 1)
    ways = ways - gammaln(others + 1) - gammaln(n_control - others + 1)
    return counts, _normalised(ways + np.asarray(contrasts, float)[:, None] * counts)


def _normalised(logs: np.ndarray) -> np.ndarray:
    values = np.exp(logs - logs.max(axis=1, keepdims=True))
    return values / values.sum(axis=1, keepdims=True)


def predicted_place(
    rows: pd.DataFrame, link: Link, contrasts, masses, baseline: Prior = BASELINE
) -> tuple[float, float, float]:
    """Find where a study's treated count lies in what a predicted effect says of it.

    Parameters
    ----------
    rows : pandas.DataFrame
        The rows of one study; the counts of dose arms are added up.
    link : {"logit", "cloglog"}
        With a log hazard ratio the count given the total depends on the baseline, over whose prior
        it is averaged.
    contrasts, masses : numpy.ndarray, shape (contrast,)
        The predicted effect.
    baseline : Prior
        Of the baseline, for ``cloglog``, and for bounded counts: what their bounds allow is
        weighted by how probable it is under each effect.

    Returns
    -------
    tuple of float
        Probability of fewer treated events than observed, of at most as many, and the expected
        number, each given the total. Of a study with means: the probability of a smaller log odds
        ratio than its own, twice, and the expected one.
    """
    low, high, expected = predicted_places(rows, link, contrasts, masses[:, None], baseline)[:, 0]
    return float(low), float(high), float(expected)


def predicted_places(
    rows: pd.DataFrame, link: Link, contrasts, masses, baseline: Prior = BASELINE
) -> np.ndarray:
    """Find a study's place as `predicted_place`, in several predictions of its effect.

    Parameters
    ----------
    rows, link, contrasts, baseline
        As in `predicted_place`.
    masses : numpy.ndarray, shape (contrast, prediction)
        The predicted effects.

    Returns
    -------
    numpy.ndarray, shape (3, prediction)
        As `predicted_place` gives them.
    """
    largest = np.abs(masses).max(axis=1)
    heavy = largest > 1e-9 * largest.max()
    contrasts, masses = contrasts[heavy], masses[heavy] / masses[heavy].sum(axis=0)
    if by_means(rows).any():
        estimate, error = effect_of_means(rows)
        below = ndtr((estimate - contrasts) / error) @ masses
        return np.array([below, below, contrasts @ masses])
    pairs = _pairs(rows)
    allowed = _pair_chances(rows, pairs, link, contrasts, baseline)
    found = np.zeros((3, masses.shape[1]))
    for (treated, control), share in zip(pairs, allowed.T, strict=True):
        counts, each = _chances_given_total(rows, treated + control, link, contrasts, baseline)
        chances = (masses * share[:, None]).T @ each
        found[0] += chances[:, counts < treated].sum(axis=1)
        found[1] += chances[:, counts <= treated].sum(axis=1)
        found[2] += chances @ counts
    found[1] = np.minimum(found[1], 1.0)
    return found


def _sides(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    control = rows["arm"] == "control"
    return rows[~control], rows[control]


def _pairs(rows: pd.DataFrame) -> list[tuple[int, int]]:
    """Treated and control counts that the bounds allow."""
    ranges = []
    for side in _sides(rows):
        low, high = int(side["events_min"].sum()), int(side["events_max"].sum())
        size = min(high - low + 1, _MOST)
        ranges.append(np.unique(np.linspace(low, high, size).round().astype(int)).tolist())
    return [(treated, control) for treated in ranges[0] for control in ranges[1]]


def _as_counts(rows: pd.DataFrame, pairs: list[tuple[int, int]]) -> pd.DataFrame:
    """Turn pairs of counts into two-arm studies, their arms added up."""
    sides = _sides(rows)
    made = []
    for i, pair in enumerate(pairs):
        for name, side, count in zip(("treated", "control"), sides, pair, strict=True):
            n = side["n"].sum()
            months = (side["n"] * side["months"]).sum() / n
            made.append(
                {
                    "study": str(i), "disease": "", "arm": name, "n": int(n), "months": months,
                    "events_min": count, "events_max": count,
                }
            )  # fmt: skip
    return pd.DataFrame(made)


def _pair_chances(rows, pairs, link: Link, contrasts, baseline: Prior) -> np.ndarray:
    """Probability of each pair of counts among all of them; shape (contrast, pair)."""
    shares = np.zeros((len(contrasts), len(pairs)))
    if len(pairs) == 1:
        return shares + 1
    likelihoods = contrast_likelihoods(_as_counts(rows, pairs), link, None, baseline)
    # Pairs with none, or all, in both arms say nothing of the effect.
    telling = [int(name) for name in likelihoods.studies]
    shares[:, telling] = _normalised(likelihoods.evaluate(contrasts, slice(None)))
    return shares


def _chances_given_total(
    rows, total: int, link: Link, contrasts, baseline: Prior
) -> tuple[np.ndarray, np.ndarray]:
    """Possible treated counts given the total, and their probabilities by contrast."""
    n_treated, n_control = (int(side["n"].sum()) for side in _sides(rows))
    if link == "logit":
        return treated_distribution(n_treated, n_control, total, contrasts)
    counts = np.arange(max(0, total - n_control), min(n_treated, total) + 1)
    if len(counts) == 1:
        return counts, np.ones((len(contrasts), 1))
    pairs = [(int(count), int(total - count)) for count in counts]
    return counts, _pair_chances(rows, pairs, link, contrasts, baseline)


@dataclass(frozen=True, eq=False)
class PairTables:
    """Treated counts of several studies given their totals, tabulated over effects.

    Attributes
    ----------
    effects : numpy.ndarray, shape (effect,)
        Ascending log odds ratios (log hazard ratios).
    pairs : list of list of (int, int)
        Of each study, the treated and control counts that its bounds allow.
    shares : list of numpy.ndarray or None, shape (effect, pair)
        How probable each is among them, by effect.
    totals : list of dict
        Of each study, by its total number of events: possible treated counts, and their cumulative
        probabilities, shape (effect, count).
    sizes : numpy.ndarray, shape (study, 2)
        Treated and control patients.
    means : numpy.ndarray, shape (study, 2)
        Log odds ratio and standard error of a study with means, which has no pairs; else missing.
    """

    effects: np.ndarray
    pairs: list[list[tuple[int, int]]]
    shares: list[np.ndarray | None]
    totals: list[dict[int, tuple[np.ndarray, np.ndarray]]]
    sizes: np.ndarray
    means: np.ndarray

    @classmethod
    def of(
        cls, rows: pd.DataFrame, studies: Sequence[str], link: Link, baseline: Prior = BASELINE
    ) -> PairTables:
        """Tabulate studies.

        Parameters
        ----------
        rows : pandas.DataFrame
            Rows of one outcome.
        studies : sequence of str
            The studies wanted, in order.
        link : {"logit", "cloglog"}
            As in `predicted_place`.
        baseline : Prior
            As in `predicted_place`.
        """
        effects = _FARTHEST * np.linspace(-1, 1, _EFFECTS) ** 3
        every, shares, totals, sizes, means = [], [], [], [], []
        for study in studies:
            own = rows[rows["study"] == study]
            modelled = by_means(own).any()
            means.append(effect_of_means(own) if modelled else (np.nan, np.nan))
            pairs = [] if modelled else _pairs(own)
            every.append(pairs)
            shares.append(None if modelled else _pair_chances(own, pairs, link, effects, baseline))
            known = {}
            for total in {sum(pair) for pair in pairs}:
                counts, chances = _chances_given_total(own, total, link, effects, baseline)
                known[total] = (counts, chances.cumsum(axis=1))
            totals.append(known)
            sizes.append([int(side["n"].sum()) for side in _sides(own)])
        return cls(effects, every, shares, totals, np.array(sizes), np.array(means))

    def spreads(
        self, effects: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Spread of the studies' log odds ratios, as observed and as replicated.

        Parameters
        ----------
        effects : numpy.ndarray, shape (draw, study)
            Effects of the studies, drawn anew.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        observed, replicated : numpy.ndarray, shape (draw,)
            Cochran's Q with half an event added to every cell; totals are kept, and bounded counts
            are drawn within their bounds.
        """
        shape = effects.shape
        counts = np.zeros((2, 2, *shape))  # observed or replicated; treated or control
        place = np.clip(np.searchsorted(self.effects, effects), 0, len(self.effects) - 1)
        for study, shares in enumerate(self.shares):
            if shares is None:
                continue
            at = place[:, study]
            chosen = _drawn(shares.cumsum(axis=1), at, rng)
            counts[0, :, :, study] = np.array(self.pairs[study])[chosen].T
            totals = counts[0, :, :, study].sum(axis=0)
            for total, (possible, cumulative) in self.totals[study].items():
                mine = totals == total
                counts[1, 0, mine, study] = possible[_drawn(cumulative, at[mine], rng)]
            counts[1, 1, :, study] = totals - counts[1, 0, :, study]
        estimate, error = self.means.T
        seen = np.broadcast_to(estimate, shape)
        again = effects + error * rng.standard_normal(shape) if np.any(error > 0) else seen
        return self._heterogeneity(counts[0], seen), self._heterogeneity(counts[1], again)

    def _heterogeneity(self, counts: np.ndarray, means: np.ndarray) -> np.ndarray:
        """Cochran's Q of log odds ratios; counts (2, draw, study), those of means (draw, study)."""
        events = [counts[0] + 0.5, counts[1] + 0.5]
        others = [self.sizes[:, side] + 0.5 - counts[side] for side in (0, 1)]
        effect = np.log(events[0] / others[0]) - np.log(events[1] / others[1])
        variance = np.sum([1 / cell for cell in (*events, *others)], axis=0)
        modelled = ~np.isnan(self.means[:, 0])
        effect = np.where(modelled, means, effect)
        weight = 1 / np.where(modelled, self.means[:, 1] ** 2, variance)
        mean = (weight * effect).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
        return (weight * (effect - mean) ** 2).sum(axis=1)


def _drawn(cumulative: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a column of each row, by its cumulative probabilities."""
    if cumulative.shape[1] == 1:
        return np.zeros(len(rows), int)
    u = rng.random(len(rows))
    found = np.empty(len(rows), int)
    for row in np.unique(rows):
        here = rows == row
        found[here] = np.searchsorted(cumulative[row], u[here] * cumulative[row, -1])
    return np.minimum(found, cumulative.shape[1] - 1)
