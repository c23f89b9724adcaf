"""Benefit against harm: each disease's two rates together, and where both may lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from ....data.outcomes import outcome as described
from ...fitting.summary import one_shown, shown

if TYPE_CHECKING:
    from xarray import DataTree

    from ....data.evidence import Evidence

#: Posterior probability that a region holds.
HELD = 0.5
_CORNERS = 90
#: Rates nearer to none or all than this lie at the edge of any picture.
_LEAST = 1e-9


def benefit_harm_data(fit: DataTree, evidence: Evidence) -> pd.DataFrame | None:
    """Gather how often patients benefit beside how often they are harmed, by disease.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit.
    evidence : Evidence
        The evidence that was fitted.

    Returns
    -------
    pandas.DataFrame or None
        `benefit, harm` (outcomes), `row` (`rate`, `region`), `disease`, `evidence` (`borrowed`
        where either rate is) and, of a rate, both medians `x, y` with their central 95 % intervals
        `x_low, x_high, y_low, y_high` and errors `x_mcse, y_mcse`; of a region, in order, the
        corners `x, y` of an ellipse of both log-odds that holds half of the joint draws. None
        without an outcome of both kinds. The first benefit is taken, and the first harm that is
        nested in another, else the first; none that grows with time.
    """
    known = [described(str(name)) for name in fit["posterior"]["outcome"].to_numpy()]
    benefits = [each.name for each in known if not each.is_harm]
    # The graver part of a harm, where it is told apart: any event may be a trifle.
    harms = sorted(
        (each for each in known if each.is_harm and not each.timed),
        key=lambda each: each.parent is None,
    )
    if not benefits or not harms:
        return None
    benefit, harm = benefits[0], harms[0].name
    table, drawn = shown(fit), fit["posterior"].to_dataset()["rate"]
    support = evidence.rows.groupby("disease", sort=False)["outcome"].agg(set)
    made = []
    for disease in fit["posterior"]["disease"].to_numpy().tolist():
        both = {benefit, harm} <= support.get(disease, set())
        about = {"disease": disease, "evidence": "direct" if both else "borrowed"}
        point = {"row": "rate", **about}
        for axis, outcome in (("x", benefit), ("y", harm)):
            one = one_shown(table, outcome=outcome, quantity="rate", disease=disease)
            point |= {axis: one["q50"], f"{axis}_low": one["q2.5"], f"{axis}_high": one["q97.5"]}
            point[f"{axis}_mcse"] = one["mcse_q50"]
        made.append(point)
        gained, harmed = (
            drawn.sel(outcome=outcome, disease=disease).to_numpy().ravel()
            for outcome in (benefit, harm)
        )
        made += [{"row": "region", **about, "x": x, "y": y} for x, y in region(gained, harmed)]
    frame = pd.DataFrame(made)
    frame.insert(0, "benefit", benefit)
    frame.insert(1, "harm", harm)
    return frame


def region(first: np.ndarray, second: np.ndarray, held: float = HELD) -> np.ndarray:
    """Give the outline of the ellipse, of two log-odds, that holds a share of joint draws.

    Parameters
    ----------
    first, second : numpy.ndarray, shape (draw,)
        Draws of two probabilities, together.
    held : float
        The share.

    Returns
    -------
    numpy.ndarray, shape (corner, 2)
        Probabilities; the ellipse has the draws' mean and covariance, and just that size.
    """
    levels = logit(np.clip(np.stack([first, second], axis=1), _LEAST, 1 - _LEAST))
    middle = levels.mean(axis=0)
    root = np.linalg.cholesky(np.cov(levels, rowvar=False) + 1e-12 * np.eye(2))
    distance = np.linalg.norm(np.linalg.solve(root, (levels - middle).T), axis=0)
    turn = np.linspace(0, 2 * np.pi, _CORNERS)
    circle = np.quantile(distance, held) * np.stack([np.cos(turn), np.sin(turn)])
    return expit(middle + (root @ circle).T)
