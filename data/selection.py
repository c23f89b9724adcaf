"""Which rows an analysis uses: sets, definitions, filters, studies dropped or swapped in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import pandas as pd

from .errors import SelectionError
from .mistakes import listed, unknown_name
from .names import counted_in_text, spaced
from .outcomes import PARENTS

ANALYSIS_SETS = ("core", "reported", "counted", "current", "everything")
#: Roles of the studies of a set that has more than the core.
_ROLES = {
    "current": ("core", "later"),
    "everything": ("core", "later", "unpublished", "case_series", "related_product"),
}
#: Sets of which a count that was not read is none.
_COUNTS_ALONE = ("reported", "counted")
DEFINITIONS = ("primary", "alternative")


@dataclass(frozen=True)
class Selection:
    """What part of the evidence an analysis uses, each name once and in the order of the data.

    Attributes
    ----------
    analysis_set : {"core", "reported", "counted", "current", "everything"}
        Analysis set: core studies; their reported counts; their known counts; the studies published
        since as well; and unpublished ones, case series and related products, too.
    definitions : {"primary", "alternative"}
        Which definition of an outcome counts where a study has several.
    outcomes, diseases : tuple of str
        Only these outcomes, and only these diseases; empty for all.
    drop : tuple of str
        Studies left out.
    use : tuple of str
        Overlapping studies used in place of their cohort's rows.
    means : bool
        Let in counts that follow from means, where nobody counted.
    moderators : tuple of str
        Columns that may explain why studies differ, a text's perhaps with its reference level
        (``COLUMN=LEVEL``), in the order given.
    at : tuple of str
        Values of moderators to report at (``COLUMN=VALUE``).
    """

    analysis_set: str = "core"
    definitions: str = "primary"
    outcomes: tuple[str, ...] = ()
    diseases: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    means: bool = False
    moderators: tuple[str, ...] = ()
    at: tuple[str, ...] = ()


def checked_selection(
    selection: Selection,
    studies: pd.DataFrame,
    outcomes: pd.DataFrame,
    means: pd.DataFrame,
    vocabulary: tuple[str, ...],
) -> Selection:
    """Put a selection's names in the order of the data.

    Parameters
    ----------
    selection : Selection
        As asked for; a single name may stand for a tuple of one.
    studies, outcomes, means : DataFrame
        The data set.
    vocabulary : tuple of str
        The outcomes that may be named.

    Returns
    -------
    Selection

    Raises
    ------
    InputError
        One line for each name that is unknown or cannot be used so.
    """
    study_names = tuple(studies["study"])
    valid = {
        "outcomes": ("outcome", vocabulary),
        "diseases": ("disease", tuple(dict.fromkeys(studies["disease"]))),
        "drop": ("study to drop", study_names),
        "use": ("study to use", study_names),
    }
    wrong = []
    for choice, choices, what in (
        (selection.analysis_set, ANALYSIS_SETS, "analysis set"),
        (selection.definitions, DEFINITIONS, "definitions"),
    ):
        if choice not in choices:
            wrong.append(unknown_name(str(choice), choices, what))
    ordered = {field: as_names(getattr(selection, field)) for field in ("moderators", "at")}
    for field, (what, names) in valid.items():
        given = as_names(getattr(selection, field))
        wrong += [unknown_name(name, names, what) for name in given if name not in names]
        ordered[field] = tuple(name for name in names if name in given)
    wrong += _wrong_uses(replace(selection, **ordered), studies, outcomes, means)
    if wrong:
        raise SelectionError("\n".join(wrong))
    return replace(selection, **ordered)


def selected_rows(
    outcomes: pd.DataFrame, means: pd.DataFrame, selection: Selection
) -> pd.DataFrame:
    """Select the rows of all arms, one a study, arm and outcome, in the order of the data.

    Parameters
    ----------
    outcomes : DataFrame
        Every row of counts of the data set, with `role` and `cohort` of its study.
    means : DataFrame
        Every row of means, with the same columns and more.
    selection : Selection
        With checked names.

    Returns
    -------
    DataFrame
        Some of the rows of `outcomes`, and after them of `means`.
    """
    chosen = outcomes["role"].isin(_ROLES.get(selection.analysis_set, ("core",)))
    chosen |= outcomes["study"].isin(selection.use)
    if selection.analysis_set == "reported":
        chosen &= outcomes["certainty"] == "reported"
    elif selection.analysis_set == "counted":
        chosen &= outcomes["events_min"] == outcomes["events_max"]
    chosen &= ~outcomes["study"].isin(selection.drop)
    rows = _one_definition(outcomes.loc[chosen], selection)
    if selection.means and selection.analysis_set not in _COUNTS_ALONE:
        rows = pd.concat([rows, _modelled(rows, means, selection)], ignore_index=True)
    rows = _swapped(rows, selection)
    if selection.outcomes:
        parents = [PARENTS[name] for name in selection.outcomes if name in PARENTS]
        rows = rows.loc[rows["outcome"].isin([*selection.outcomes, *parents])]
    if selection.diseases:
        rows = rows.loc[rows["disease"].isin(selection.diseases)]
    return rows


def described(selection: Selection, labels: Mapping[str, str] = MappingProxyType({})) -> str:
    """Say in a line what a selection asks for, with the names that readers know studies by."""
    said = [f"the analysis set {selection.analysis_set}", f"{selection.definitions} definitions"]
    kinds = {"outcomes": counted_in_text, "diseases": spaced}
    for field in ("outcomes", "diseases", "drop", "use", "moderators", "at"):
        if names := getattr(selection, field):
            named = kinds.get(field, lambda name: labels.get(name, str(name)))
            called = [named(name) for name in names]
            said.append(f"{field} {listed(called)}")
    if selection.means:
        said.append("counts that follow from means as well")
    return ", ".join(said)


def as_names(given: Mapping[str, Any] | Iterable[str] | str | None) -> tuple[str, ...]:
    """Give what was asked for as names: one may stand alone; of pairs ``NAME=VALUE``."""
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Mapping):
        return tuple(f"{name}={value}" for name, value in given.items())
    return tuple(str(name) for name in given or ())


def _wrong_uses(
    selection: Selection, studies: pd.DataFrame, outcomes: pd.DataFrame, means: pd.DataFrame
) -> list[str]:
    about = studies.set_index("study")
    overlapping = list(studies.loc[studies["role"] == "overlap", "study"])
    other_means = set(means.loc[~means["primary"], "study"])
    wrong = []
    supplied: dict[tuple[str, str], str] = {}
    for study in selection.use:
        role, cohort = about.at[study, "role"], about.at[study, "cohort"]
        if role != "overlap" and study in other_means:
            if not selection.means:
                wrong.append(f"study to use {study} supplies means: let them in with --means")
            continue
        if role != "overlap":
            swappable = listed(overlapping) if overlapping else "there are none"
            remedy = f"only overlapping studies can be swapped in: {swappable}"
            wrong.append(f"study to use {study} has the role {role}; {remedy}")
            continue
        if study in selection.drop:
            wrong.append(f"study {study} is both to be used and to be dropped: choose one")
        own = outcomes.loc[outcomes["study"] == study, "outcome"]
        if len(own) == 0:
            wrong.append(f"study to use {study} has no outcome rows: leave it out")
        for outcome in dict.fromkeys(own):
            other = supplied.setdefault((str(cohort), outcome), study)
            if other != study:
                shared = f"of cohort {cohort} both supply {outcome}: use one"
                wrong.append(f"studies to use {other} and {study} {shared}")
    return wrong


def _one_definition(rows: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Of several definitions of one study, arm and outcome keep one: the first alternative."""
    if selection.definitions == "primary":
        return rows.loc[rows["primary"]]
    ordered = rows.sort_values("primary", kind="stable")
    return ordered.drop_duplicates(["study", "arm", "outcome"]).sort_index()


def _swapped(rows: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Let each used study take the place of its cohort's rows of what it supplies."""
    kin = {**PARENTS, **{parent: child for child, parent in PARENTS.items()}}
    used = rows["study"].isin(selection.use)
    # A core study is used for its means alone.
    supplies = used & ((rows["role"] == "overlap") | (rows["certainty"] == "modelled"))
    replaced: set[tuple[str, str | None]] = set()
    for cohort, outcome in zip(
        rows.loc[supplies, "cohort"], rows.loc[supplies, "outcome"], strict=True
    ):
        replaced |= {(cohort, outcome), (cohort, kin.get(outcome))}
    pairs = zip(rows["cohort"], rows["outcome"], strict=True)
    stays = [own or pair not in replaced for own, pair in zip(used, pairs, strict=True)]
    return rows.loc[stays]


def _modelled(rows: pd.DataFrame, means: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    """Choose the rows of means that may stand beside some rows of counts."""
    used = means["study"].isin(selection.use)
    roles = _ROLES.get(selection.analysis_set, ("core",))
    wanted = used | (means["primary"] & means["role"].isin(roles))
    chosen = means.loc[wanted & ~means["study"].isin(selection.drop), list(rows.columns)]
    counted = {_place(row) for row in rows.itertuples()}
    cohorts = {(row.cohort, row.outcome) for row in rows.itertuples() if row.cohort}
    stays = [
        _place(row) not in counted
        and (row.study in selection.use or (row.cohort, row.outcome) not in cohorts)
        for row in chosen.itertuples()
    ]
    return chosen.loc[stays]


def _place(row: Any) -> tuple[Any, ...]:
    """Name the patients that a row counts: all treated ones of a study alike, or its controls."""
    return row.study, row.outcome, row.arm == "control"
