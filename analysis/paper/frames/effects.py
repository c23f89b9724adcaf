"""Treated against control, as sentences, tables and figures need it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ....data.controlled import controlled_rows
from ....data.errors import InputError, SelectionError
from ....data.outcomes import outcome
from ....models.effects.priors import EffectPriors
from ....models.outcomes import inverse_link, link_function
from ...effects import effects as room
from ...effects import results
from ...fitting.store import run_config
from ...guard.result import CheckResult

if TYPE_CHECKING:
    from xarray import DataTree

    from ....data.evidence import Evidence
    from ....data.moderators import Moderator

Direction = Literal["more", "fewer", "open"]

#: Roles that no comparison of cells with control takes in.
_OTHERS = ("case_series", "related_product")
_QUANTILES = ("q2.5", "q50", "q97.5")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Effects of one analysis set.

    Attributes
    ----------
    added : {"", "later", "means", "unpublished"}
        Which studies it has beside those of the fit: none, those published since the review, or
        these and either those that report means or the unpublished ones.
    evidence : Evidence
        What was compared.
    tree : xarray.DataTree
        Of `mscpool.analysis.effects.effects.effects`.
    """

    added: str
    evidence: Evidence
    tree: DataTree

    @cached_property
    def checked(self) -> CheckResult:
        """What the guard says of these effects."""
        return room.checked(self.tree)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What made the effects."""
        return run_config(self.tree)

    @cached_property
    def priors(self) -> EffectPriors:
        """The priors of these effects."""
        return EffectPriors.from_dict(self.config["priors"])

    @property
    def verdict(self) -> str:
        """The guard's verdict on all of them."""
        return self.checked.verdict

    @cached_property
    def contrasts(self) -> pd.DataFrame:
        """Every effect; see `contrasts` of the room of effects."""
        return results.contrasts(self.tree)

    @cached_property
    def studies(self) -> pd.DataFrame:
        """Each study compared; see `study_effects`."""
        return results.study_effects(self.tree)

    @cached_property
    def arms(self) -> pd.DataFrame:
        """The rows that are compared, one a study, arm and outcome."""
        return results.compared_arms(self.tree)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Effects of diseases with controlled studies, and what else is said of each.

        One row an outcome and disease: the columns of `contrasts`; ``next_…`` the quantiles of the
        next trial's ratio; ``own_share``; ``control_rate``, the median that is predicted for the
        next control arm, in two digits; ``treated_…``, the quantiles of the treated rate at that
        control rate; ``direction`` of `direction_of`; ``randomised``, how many studies are known to
        be; ``verdict``.
        """
        table = self.contrasts
        keys = ["outcome", "disease"]
        following = table[table["quantity"] == "new_study"].set_index(keys)
        absolute = results.absolute_effects(self.tree)
        control = absolute[absolute["quantity"] == "effect"].set_index(keys)["control_rate_q50"]
        shares = results.own_shares(self.tree).set_index(keys)["own_share"]
        error = float(self.tree["hyper"].attrs["numerical_error"])
        known = self.studies["randomised"].map(lambda each: each is True)
        randomised = known.groupby([self.studies[key] for key in keys]).sum()
        direct = (table["quantity"] == "effect") & (table["evidence"] == "direct")
        made = []
        rows: list[dict[Any, Any]] = table[direct].to_dict("records")
        for row in rows:
            key = row["outcome"], row["disease"]
            row |= {
                f"next_{q}": float(np.asarray(following.at[key, f"ratio_{q}"])) for q in _QUANTILES
            }
            row["own_share"] = float(shares.get(key, np.nan))
            row["control_rate"] = float(f"{np.clip(control[key], 1e-3, 0.999):.2g}")
            row |= treated_rates(row, row["control_rate"])
            row["direction"] = direction_of(row, error)
            row["randomised"] = int(randomised[key])
            row["verdict"] = self.checked.verdict_of(row["outcome"])
            made.append(row)
        return pd.DataFrame(made)

    @cached_property
    def randomised(self) -> pd.DataFrame:
        """Effects of the randomised studies alone; no rows where all are, or none."""
        return results.contrasts(self.tree, randomised_only=True)


def compared_sets(
    evidence: Evidence, pooling: str, check: bool = True, moderators: Sequence[Moderator] = ()
) -> list[Comparison]:
    """Compare treated with control arms, in the analysis set of a fit and in wider ones.

    Beside the core set stands what the studies published since the review add, and beside these
    what those that report means would, and unpublished ones: of each only the outcomes that gain a
    controlled study.

    Parameters
    ----------
    evidence : Evidence
        The analysis set of the fit.
    pooling : str
        How diseases inform each other.
    check : bool
        Let the guard judge the effects.
    moderators : sequence of Moderator
        What explains the effects of the fit's own set, where its controlled studies can tell.

    Returns
    -------
    list of Comparison
        None where no study has a control arm.
    """
    comparisons: list[Comparison] = []
    known: dict[str, set[str]] = {}
    for added, wider in _sets(evidence):
        studies = _compared_studies(wider)
        gaining = tuple(name for name in studies if not studies[name] <= known.get(name, set()))
        if added in ("", "later"):
            known = studies
        if gaining:
            part = wider.select(outcomes=gaining) if added else wider
            own = () if added else moderators
            made = _explained(part, pooling, check, own) if own else None
            if made is None:
                made = room.effects(part, pooling, shares=True, check=check)
            comparisons.append(Comparison(added, part, made))
    return comparisons


def _explained(
    evidence: Evidence, pooling: str, check: bool, moderators: Sequence[Moderator]
) -> DataTree | None:
    """Explain effects by moderators; None where the controlled studies cannot tell of them."""
    asked = [each.asked for each in moderators]
    at = [f"{each.name}={each.at}" for each in moderators]
    try:
        return room.effects(evidence, pooling, shares=True, check=check, moderators=asked, at=at)
    except InputError:  # too few studies, or a pooling that is not sampled
        return None


def _sets(evidence: Evidence) -> Iterator[tuple[str, Evidence]]:
    selection = evidence.selection
    yield "", evidence
    if selection.analysis_set not in ("core", "current"):
        return
    # Moderators ask for values that other studies need not have; effects are compared without.
    evidence = evidence.select(moderators=(), at=())
    if selection.analysis_set == "core":
        yield "later", evidence.select(analysis_set="current")
    if not selection.means:
        yield "means", evidence.select(analysis_set="current", means=True)
    other = evidence.studies.loc[evidence.studies["role"].isin(_OTHERS), "study"]
    drop = {*selection.drop, *other} - set(selection.use)
    yield "unpublished", evidence.select(analysis_set="everything", drop=tuple(drop))


def _compared_studies(evidence: Evidence) -> dict[str, set[str]]:
    """Name the controlled studies of each outcome; none where no study has a control arm."""
    try:
        rows = controlled_rows(evidence).rows
    except SelectionError:
        return {}
    return {str(name): set(own["study"]) for name, own in rows.groupby("outcome", sort=False)}


def treated_rates(row: dict, control_rate: float) -> dict[str, float]:
    """Give the treated rate at a control rate, as quantiles of the effect give it.

    Parameters
    ----------
    row : mapping
        ``outcome``, and the quantiles of an effect on its linear scale.
    control_rate : float
        A probability; a 12-month risk where the outcome is timed.

    Returns
    -------
    dict of str to float
        ``treated_q2.5``, ``treated_q50``, ``treated_q97.5``, probabilities.
    """
    link = outcome(row["outcome"]).link
    level = float(link_function(control_rate, link))
    return {f"treated_{q}": float(inverse_link(level + row[q], link)) for q in _QUANTILES}


def direction_of(row: dict, error: float) -> Direction:
    """Say whether treatment makes an outcome more or less frequent, where that can be told.

    Parameters
    ----------
    row : mapping
        Quantiles of an effect on its linear scale.
    error : float
        Numerical error, relative to a quarter of the interval or to 1, whichever is larger.

    Returns
    -------
    {"more", "fewer", "open"}
        ``open`` where the central 95 % interval, or its error, reaches 0.
    """
    reach = error * max((row["q97.5"] - row["q2.5"]) / 4, 1.0)
    if row["q2.5"] > reach:
        return "more"
    return "fewer" if row["q97.5"] < -reach else "open"
