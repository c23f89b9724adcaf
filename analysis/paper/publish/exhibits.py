"""The figure set of a fit before it is drawn: what is shown, and the words that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...fitting.summary import rates
from ..frames import guard as gather_guard
from ..frames import rates as gather
from ..frames import sensitivity as gather_sensitivity
from ..words import captions, captions_sensitivity
from ..words.captions import Setting, Words, as_run

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from ....data.evidence import Evidence
    from ...sensitivity.borrowing import Borrowing
    from ...sensitivity.result import PriorComparison


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


def exhibits(
    fit: DataTree,
    evidence: Evidence,
    check: Any = None,
    poolings: Mapping[str, DataTree] | None = None,
    comparison: PriorComparison | None = None,
    borrowed: Borrowing | None = None,
) -> list[Exhibit]:
    """Gather the figure set of a fit.

    Parameters
    ----------
    fit : xarray.DataTree
        A stored fit.
    evidence : Evidence
        The evidence that was fitted.
    check : CheckResult or mapping, optional
        What the guard found, as it is or in the shape of check.json.
    poolings : mapping of str to xarray.DataTree, optional
        Fits of the same evidence by pooling, in the order of drawing.
    comparison : PriorComparison, optional
        What is believed under other priors.
    borrowed : Borrowing, optional
        What diseases take from each other.

    Returns
    -------
    list of Exhibit
        In the order of a paper; what the fit has nothing for is left out.
    """
    checked = plain(check)
    setting = Setting(evidence, as_run(fit), checked)
    reported = list(dict.fromkeys(rates(fit)["outcome"]))
    made = [
        _exhibit("evidence_map", gather.evidence_map_data(evidence), setting),
        _exhibit("characteristics", gather.characteristics_data(evidence), setting),
    ]
    made += [
        _exhibit("forest", gather.forest_data(fit, evidence, outcome), setting, outcome)
        for outcome in reported
    ]
    made.append(_exhibit("rates", gather.rates_data(fit, evidence), setting))
    made += [
        _exhibit("joint", gather.nested_data(fit, evidence, child), setting, child)
        for child in gather.nested_children(fit)
    ]
    harms = gather.safety_data(fit, evidence)
    if len(harms):
        made.append(_exhibit("safety", harms, setting))
    if poolings is not None and len(poolings) > 1:
        made.append(_exhibit("pooling", gather.pooling_data(poolings, evidence), setting))
    if "prior" in fit.children:
        frame = gather_sensitivity.prior_posterior_data(fit)
        made.append(_exhibit("prior_posterior", frame, setting))
    made += _of_guard(fit, setting)
    made += _of_priors(comparison, borrowed, reported, setting)
    return [each for each in made if len(each.frame)]


def _of_guard(fit: DataTree, setting: Setting) -> list[Exhibit]:
    made = []
    if "mixed_predictive" in fit.children:
        frame = gather_guard.predictive_data(fit, setting.evidence)
        made.append(_exhibit("predictive", frame, setting))
    if setting.checked is not None:
        frame = gather_guard.checks_data(setting.checked)
        frame = frame[frame["warn_tail"].notna()].reset_index(drop=True)
        made.append(_exhibit("checks", frame, setting))
        frame = gather_guard.calibration_data(setting.checked, setting.evidence)
        made.append(_exhibit("calibration", frame, setting))
    return made


def _of_priors(
    comparison: PriorComparison | None, borrowed: Borrowing | None, reported: list[str], setting
) -> list[Exhibit]:
    made = []
    if comparison is not None:
        frame = gather_sensitivity.prior_comparison_data(comparison)
        made.append(_exhibit("prior_comparison", frame, setting))
        for outcome in reported:
            frame = gather_sensitivity.flip_map_data(comparison, outcome)
            made.append(_exhibit("flip_map", frame, setting, outcome))
        frame = gather_sensitivity.power_scaling_data(comparison)
        made.append(_exhibit("power_scaling", frame, setting))
    if borrowed is not None:
        made.append(_exhibit("borrowing", gather_sensitivity.borrowing_data(borrowed), setting))
    return made


def _exhibit(kind: str, frame: pd.DataFrame, setting: Setting, part: str = "") -> Exhibit:
    name = f"{kind}_{part}" if part else kind
    room = captions if hasattr(captions, kind) else captions_sensitivity
    words = getattr(room, kind)(frame, setting) if len(frame) else Words(name, "", "")
    return Exhibit(name, kind, frame, words)


def plain(check: Any) -> Mapping[str, Any] | None:
    """Give what the guard found in the shape of check.json; None where it did not run."""
    return check.to_dict() if hasattr(check, "to_dict") else check
