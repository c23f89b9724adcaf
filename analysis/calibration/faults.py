"""Faults of an engine, planted one at a time: what simulation-based calibration would notice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...models.exact.distribution import Distribution
from ...models.exact.posterior import ExactPosterior
from ...models.exact.predictions import study_distributions
from ...models.priors.prior import Prior
from ...models.priors.sets import DEFAULT, PriorSet
from ..guard.shares import share
from .sbc import Engine, next_study, within_stretches
from .uniformity import Places, uniformity

#: A prior's scale is off by a fifth.
TOO_NARROW = 0.8
#: Shapes of `sbc.shapes`: one in which priors matter, and one with many rows within bounds.
FEW, BOUNDED = "serious_ae", "6 x 8 x 40, some bounded"
#: Simulations of a run whose chance to notice a fault is told.
RUNS = (100, 250, 500, 1000)
COLUMNS = ("fault", "data", "sims", "runs", "noticed", "noticed_low", "noticed_high")


def narrowed(parameter: str, outcome: str) -> PriorSet:
    """Give the default priors, but for one scale of an outcome that is a fifth too small.

    Parameters
    ----------
    parameter : {"mu", "tau", "sigma"}
        Whose prior it is; one with a scale called sigma.
    outcome : str
        Of which outcome.
    """
    usual: Prior = getattr(DEFAULT.of(outcome), parameter)
    values = dict(usual.parameters)
    values["sigma"] *= TOO_NARROW
    return DEFAULT.with_outcome(outcome, **{parameter: Prior.make(usual.dist, usual.on, **values)})


def lower_ends(counts: np.ndarray, rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Take the lower end of a row's bounds for its count; parameters as `sbc.within_stretches`."""
    bounded = within_stretches(counts, rows, rng)
    return bounded.assign(events_max=bounded["events_min"])


def first_study(posterior: ExactPosterior, disease: str) -> Distribution:
    """Take the rate of a disease's first study for that of its next one, as `sbc.next_study`."""
    likelihoods = posterior.hierarchy.likelihoods
    mine = np.flatnonzero(likelihoods.disease == likelihoods.diseases.index(disease))
    if not len(mine):
        return next_study(posterior, disease)
    return study_distributions(posterior)[likelihoods.studies[mine[0]]]


#: What is wrong in words, on which shape, and the engine that has it.
FAULTS: dict[str, tuple[str, Engine]] = {
    **{
        f"scale of {name}'s prior a fifth too small": (FEW, Engine(priors=narrowed(name, FEW)))
        for name in ("mu", "tau", "sigma")
    },
    "bounds dropped, the lower end taken for the count": (BOUNDED, Engine(bounds=lower_ends)),
    "an old study's effect in place of a new one's": (FEW, Engine(following=first_study)),
}


def power(found: Sequence[tuple[str, Places]], family: int) -> pd.DataFrame:
    """Tell in what share of runs simulation-based calibration notices a planted fault.

    Parameters
    ----------
    found : sequence of (str, Places)
        Faults, and where the truth lay in the posteriors of an engine with it. The simulations are
        cut into as many runs of each length as they give.
    family : int
        Quantities that are judged together where the engine is sound.

    Returns
    -------
    pandas.DataFrame
        One row a fault and length of a run: ``fault, data, sims`` (of a run), ``runs``, and the
        share ``noticed``, in which a quantity is outside its band, with Wilson's 95 % interval.
    """
    rows = []
    for fault, each in found:
        for sims in RUNS:
            runs = len(each.places) // sims
            parts = [each.places.iloc[i * sims : (i + 1) * sims] for i in range(runs)]
            noticed = sum(not uniformity(part, family)["inside_band"].all() for part in parts)
            if runs:
                told = {"fault": fault, "data": each.data, "sims": sims, "runs": runs}
                rows.append(told | share("noticed", noticed, runs))
    return pd.DataFrame(rows, columns=COLUMNS)
