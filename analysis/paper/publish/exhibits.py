"""The figure set of a fit before it is drawn, in the order of a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import captions, captions_guard, captions_means, captions_sensitivity

if TYPE_CHECKING:
    from ..frames.results import Results
    from ..words.exhibit import Exhibit

#: Every kind of figure, in the order of a paper.
KINDS = (
    captions.EVIDENCE_MAP,
    captions.CHARACTERISTICS,
    captions.FOREST,
    captions.RATES,
    captions.JOINT,
    captions.SAFETY,
    captions.POOLING,
    captions_means.MEANS,
    captions_sensitivity.PRIOR_POSTERIOR,
    captions_guard.PREDICTIVE,
    captions_guard.CHECKS,
    captions_guard.CALIBRATION,
    captions_sensitivity.PRIOR_COMPARISON,
    captions_sensitivity.FLIP_MAP,
    captions_sensitivity.POWER_SCALING,
    captions_sensitivity.BORROWING,
)


def exhibits(results: Results) -> list[Exhibit]:
    """Gather the figure set of a fit.

    Parameters
    ----------
    results : Results
        A fit with all that was found of it.

    Returns
    -------
    list of Exhibit
        In the order of a paper; what the fit has nothing for is left out.
    """
    return [exhibit for kind in KINDS for exhibit in kind.exhibits(results)]
