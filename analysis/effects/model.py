"""The hierarchies behind effects: of contrasts, of control arms and of treated arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from ...data.outcomes import outcome
from ...models.effects.contrast import contrast_likelihoods
from ...models.effects.priors import EffectPriors
from ...models.exact.distribution import Distribution
from ...models.exact.hierarchy import ExactHierarchy
from ...models.exact.likelihood_table import count_likelihoods
from ...models.exact.posterior import ExactPosterior
from ...models.exact.predictions import study_distributions
from ...models.priors.sets import DEFAULT
from .sampled import SampledPosterior


@dataclass(frozen=True, eq=False)
class EffectsFit:
    """Posteriors of the effects of every outcome with controlled studies.

    Attributes
    ----------
    rows : pandas.DataFrame
        What was compared: one row a study, arm and outcome, with ``randomised``.
    diseases : tuple of str
        Every disease of the selection, also those without a controlled study.
    pooling : str
        How diseases inform each other.
    priors : EffectPriors
        The priors.
    posteriors : dict of str to ExactPosterior or SampledPosterior
        By outcome; levels are log odds ratios, or log hazard ratios where the outcome is timed.
    """

    rows: pd.DataFrame
    diseases: tuple[str, ...]
    pooling: str
    priors: EffectPriors
    posteriors: Mapping[str, ExactPosterior | SampledPosterior]
    _known: dict[tuple[str, str, int], Distribution] = field(default_factory=dict, repr=False)

    def distribution(self, name: str, quantity: str, disease: str | None) -> Distribution:
        """Distribution of an effect on the linear scale.

        Parameters
        ----------
        name : str
            The outcome.
        quantity : {"effect", "new_study", "new_disease"}
            A typical study of the disease, its next study, or a typical study of a disease not yet
            tried.
        disease : str or None
            None with ``new_disease``.

        Returns
        -------
        Distribution
            The same value for all diseases that have no controlled study.
        """
        posterior = self.posteriors[name]
        key = (name, quantity, column_of(posterior, disease))
        if key not in self._known:
            wanted = "rate" if quantity == "effect" else quantity
            self._known[key] = posterior.distribution(wanted, disease)
        return self._known[key]

    def rows_of(self, name: str) -> pd.DataFrame:
        """Give the rows of one outcome."""
        return self.rows[self.rows["outcome"] == name]

    def of_studies(self, name: str) -> dict[str, Distribution]:
        """Distribution of the own effect of each study that informs, by study."""
        posterior = self.posteriors[name]
        if isinstance(posterior, SampledPosterior):
            return posterior.study_distributions()
        return study_distributions(posterior)


@dataclass(frozen=True, eq=False)
class IntegratedEffects(EffectsFit):
    """Effects that were integrated, which the guard judges."""

    posteriors: Mapping[str, ExactPosterior]

    @property
    def worst_error(self) -> float:
        """Largest numerical error of any outcome, as `ExactPosterior.worst_error`."""
        return max((each.worst_error for each in self.posteriors.values()), default=0.0)


def column_of(posterior: ExactPosterior | SampledPosterior, disease: str | None) -> int:
    """Give the position of a disease among those that the posterior tells apart; -1 for none."""
    if not isinstance(disease, str):  # a table turns None into a missing number
        return -1
    return posterior.columns[posterior.hierarchy.likelihoods.diseases.index(disease)]


def fit_effects(
    rows: pd.DataFrame, diseases: Sequence[str], pooling: str, priors: EffectPriors
) -> IntegratedEffects:
    """Integrate the hierarchy of contrasts of every outcome; each stands alone.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `mscpool.data.controlled.controlled_rows`.
    diseases : sequence of str
        Every disease wanted.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : EffectPriors
        The priors.

    Returns
    -------
    IntegratedEffects
        The posteriors.
    """
    found = {}
    for name in dict.fromkeys(rows["outcome"]):
        own = rows[rows["outcome"] == name]
        likelihoods = contrast_likelihoods(own, outcome(name).link, diseases, priors.baseline)
        found[name] = ExactHierarchy(likelihoods, pooling, name).posterior(priors.of(name))
    return IntegratedEffects(rows, tuple(diseases), pooling, priors, found)


def arm_rates(
    rows: pd.DataFrame, names: Sequence[str], diseases: Sequence[str], pooling: str
) -> dict[str, ExactPosterior]:
    """Integrate the hierarchy of rates of one kind of arm, every outcome for itself.

    Parameters
    ----------
    rows : pandas.DataFrame
        Control arms, or treated arms.
    names : sequence of str
        Outcomes wanted, of those that have rows.
    diseases : sequence of str
        Every disease wanted.
    pooling : str
        How diseases inform each other.

    Returns
    -------
    dict of str to ExactPosterior
        By outcome, under the default priors of rates.
    """
    found = {}
    for name in names:
        own = rows[rows["outcome"] == name]
        if len(own):
            likelihoods = count_likelihoods(own, outcome(name).link, diseases)
            found[name] = ExactHierarchy(likelihoods, pooling, name).posterior(DEFAULT.of(name))
    return found
