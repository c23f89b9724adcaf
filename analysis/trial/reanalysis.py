"""The full re-analysis as the new trial's analysis: the trial enters the hierarchy, exactly."""

from dataclasses import dataclass, field

import numpy as np

from ...models.integration.exact_posterior import ExactPosterior
from ...models.integration.exact_predictions import NewTrial, new_trial


@dataclass(frozen=True, eq=False)
class FullReanalysis:
    """Analysis of a new trial beside the old studies, borrowing from all diseases.

    Everything is learnt about the trial's own rate, so that this is the analysis with the exact
    density of the disease's next study as prior; the beta mixture of `map` approximates that.

    Attributes
    ----------
    posterior : ExactPosterior
        What is known before the trial.
    disease : str
        The trial's disease.
    months : float
        Its follow-up, for mortality.
    """

    posterior: ExactPosterior
    disease: str
    months: float = 12.0
    _last: dict[int, NewTrial] = field(default_factory=dict, init=False, repr=False)

    @property
    def words(self) -> str:
        """What the analysis is, in words."""
        return f"the full re-analysis with all studies, as a trial in {self.disease}"

    def trial(self, n: int) -> NewTrial:
        """Return the re-analysis for n patients; the last one is kept."""
        if n not in self._last:
            self._last.clear()
            self._last[n] = new_trial(self.posterior, self.disease, n, self.months)
        return self._last[n]

    def probability_above(self, threshold: float, n: int) -> np.ndarray:
        """Posterior probability that the trial's rate is above `threshold`, shape (n + 1,)."""
        return self.trial(n).probability_above(threshold)

    def quantile(self, probability: float, n: int) -> np.ndarray:
        """Posterior quantile of the trial's rate, shape (n + 1,)."""
        return self.trial(n).quantiles([probability])[0]

    def predictive(self, n: int) -> np.ndarray:
        """Probability of each count before the trial, shape (n + 1,)."""
        return self.trial(n).predictive if n else np.ones(1)
