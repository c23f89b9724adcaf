"""The figure set of a fit before it is drawn: what is shown, and the words that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..frames import guard as gather_guard
from ..frames import rates as gather
from ..frames import sensitivity as gather_sensitivity
from ..words import captions, captions_sensitivity
from ..words.captions import Words

if TYPE_CHECKING:
    import pandas as pd

    from ..frames.results import Results


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One figure of the set, before it is drawn.

    Attributes
    ----------
    name : str
        Name of its files.
    kind : str
        What it is: `forest`, `rates` and so on.
    frame : DataFrame
        Exactly what is drawn.
    words : Words
        Title, caption and alternative text.
    """

    name: str
    kind: str
    frame: pd.DataFrame
    words: Words


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
    fit, evidence = results.fit, results.evidence
    made = [
        _exhibit("evidence_map", gather.evidence_map_data(evidence), results),
        _exhibit("characteristics", gather.characteristics_data(evidence), results),
    ]
    made += [
        _exhibit("forest", gather.forest_data(fit, evidence, outcome), results, outcome)
        for outcome in results.outcomes
    ]
    made.append(_exhibit("rates", gather.rates_data(fit, evidence), results))
    made += [
        _exhibit("joint", gather.nested_data(fit, evidence, child), results, child)
        for child in gather.nested_children(fit)
    ]
    harms = gather.safety_data(fit, evidence)
    if len(harms):
        made.append(_exhibit("safety", harms, results))
    if len(results.poolings) > 1:
        frame = gather.pooling_data(results.poolings, evidence)
        made.append(_exhibit("pooling", frame, results))
    if "prior" in fit.children:
        frame = gather_sensitivity.prior_posterior_data(fit)
        made.append(_exhibit("prior_posterior", frame, results))
    made += _of_guard(results)
    made += _of_priors(results)
    return [each for each in made if len(each.frame)]


def _of_guard(results: Results) -> list[Exhibit]:
    made = []
    if "mixed_predictive" in results.fit.children:
        frame = gather_guard.predictive_data(results.fit, results.evidence)
        made.append(_exhibit("predictive", frame, results))
    if results.checked is not None:
        frame = gather_guard.checks_data(results.checked)
        frame = frame[frame["warn_tail"].notna()].reset_index(drop=True)
        made.append(_exhibit("checks", frame, results))
        frame = gather_guard.calibration_data(results.checked, results.evidence)
        made.append(_exhibit("calibration", frame, results))
    return made


def _of_priors(results: Results) -> list[Exhibit]:
    made = []
    if results.comparison is not None:
        frame = gather_sensitivity.prior_comparison_data(results.comparison)
        made.append(_exhibit("prior_comparison", frame, results))
        for outcome in results.outcomes:
            frame = gather_sensitivity.flip_map_data(results.comparison, outcome)
            made.append(_exhibit("flip_map", frame, results, outcome))
        frame = gather_sensitivity.power_scaling_data(results.comparison)
        made.append(_exhibit("power_scaling", frame, results))
    if results.borrowed is not None:
        frame = gather_sensitivity.borrowing_data(results.borrowed)
        made.append(_exhibit("borrowing", frame, results))
    return made


def _exhibit(kind: str, frame: pd.DataFrame, results: Results, part: str = "") -> Exhibit:
    name = f"{kind}_{part}" if part else kind
    room = captions if hasattr(captions, kind) else captions_sensitivity
    words = getattr(room, kind)(frame, results) if len(frame) else Words(name, "", "")
    return Exhibit(name, kind, frame, words)
