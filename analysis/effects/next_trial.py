"""What effects say of the next trial: its effect, and the rate of its control arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...data.errors import InputError
from ...data.mistakes import one_of
from ...data.names import numbered
from ...models.effects.priors import EffectPriors
from ...models.exact.distribution import Distribution
from ...models.priors.prior import Prior
from ...models.priors.sets import PriorSet
from ..fitting.store import run_config
from .model import arm_rates, fit_effects
from .results import compared_arms

if TYPE_CHECKING:
    from xarray import DataTree


@dataclass(frozen=True)
class Behind:
    """What a distribution rests on: whether the disease has studies of its own, and how many."""

    evidence: str
    studies: int
    patients: int

    @property
    def words(self) -> str:
        """The same as a phrase."""
        if self.evidence == "borrowed":
            return "borrowed from other diseases"
        studies = numbered(self.studies, "study", "studies")
        return f"{studies} of its own with {numbered(self.patients, 'patient')}"


@dataclass(frozen=True, eq=False)
class NextTrial:
    """What stored effects say of the next trial of one outcome in one disease.

    Parameters
    ----------
    made : xarray.DataTree
        Of `mscpool.analysis.effects.effects.effects`.
    outcome, disease : str or None
        Where the effects have one, it need not be named.

    Raises
    ------
    InputError
        An outcome or disease that is missing or has no effects.
    """

    made: DataTree
    outcome: str
    disease: str

    def __init__(self, made: DataTree, outcome: str | None, disease: str | None) -> None:
        table = made["effects"].to_dataset()
        for name, value in (("outcome", outcome), ("disease", disease)):
            known = [each for each in dict.fromkeys(table[name].to_numpy().tolist()) if each]
            if value is None and len(known) == 1:
                value = known[0]
            if value is None:
                article = "an" if name == "outcome" else "a"
                raise InputError(f"effects need {article} {name}: one of {', '.join(known)}")
            one_of(value, known, name)
            object.__setattr__(self, name, value)
        object.__setattr__(self, "made", made)

    def effect(self, quantity: str) -> tuple[np.ndarray, np.ndarray, Behind]:
        """Give the quantiles of the effect (``effect`` or ``new_study``), and what is behind it.

        Returns
        -------
        probabilities, values : numpy.ndarray, shape (point,)
            Log odds ratios, or log hazard ratios.
        behind : Behind
            The disease's own controlled studies.
        """
        table = self.made["effects"].to_dataset()
        wanted = {"outcome": self.outcome, "quantity": quantity, "disease": self.disease}
        own = np.logical_and.reduce([table[k].to_numpy() == v for k, v in wanted.items()])
        place = int(np.flatnonzero(own)[0])
        kept = self.made["densities"].to_dataset()
        behind = Behind(
            str(table["evidence"].to_numpy()[place]),
            int(table["studies"].to_numpy()[place]),
            int(table["patients"].to_numpy()[place]),
        )
        return kept["probability"].to_numpy(), kept["value"].to_numpy()[place], behind

    def effect_alone(self, quantity: str) -> Distribution | None:
        """Integrate the same by the disease's own studies alone.

        None where it has none, and where no other disease has any.
        """
        rows = compared_arms(self.made)
        rows = rows[rows["outcome"] == self.outcome]
        own = rows["disease"] == self.disease
        if not own.any() or own.all():
            return None
        rows = rows[own]
        config = run_config(self.made)
        told = dict(config["priors"])
        baseline = Prior.from_dict(told.pop("baseline"))
        priors = EffectPriors(PriorSet.from_dict(told), baseline)
        fit = fit_effects(rows, (self.disease,), config["pooling"], priors)
        return fit.distribution(self.outcome, quantity, self.disease)

    def effect_under(self, priors: EffectPriors, quantity: str) -> Distribution:
        """Integrate the effect anew under other priors."""
        rows = compared_arms(self.made)
        rows = rows[rows["outcome"] == self.outcome]
        config = run_config(self.made)
        fit = fit_effects(rows, tuple(config["diseases"]), config["pooling"], priors)
        return fit.distribution(self.outcome, quantity, self.disease)

    def control(self, quantity: str) -> tuple[Distribution, Behind]:
        """Integrate the rate of control arms (``rate``, or ``new_study``: the next one's).

        Returns
        -------
        distribution : Distribution
            Of the rate; of a timed outcome a 12-month risk.
        behind : Behind
            The disease's own control arms.
        """
        rows = compared_arms(self.made)
        config = run_config(self.made)
        posterior = arm_rates(
            rows[rows["arm"] == "control"], (self.outcome,), config["diseases"], config["pooling"]
        )[self.outcome]
        known = posterior.evidence_of(self.disease)
        behind = Behind(known["evidence"], known["studies"], known["patients"])
        return posterior.distribution(quantity, self.disease), behind
