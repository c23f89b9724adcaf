"""The report's tables of priors and of borrowing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ....data.names import outcome_in_text, outcome_words, prior_set_words, study_labels
from ....data.outcomes import PARENTS
from ....data.written import fixed
from ...fitting.ranking import CERTAIN, leaders
from ...sensitivity.power_scaling import meaning
from ..words.moderators import parameter_words
from ..words.table import FROM_MEANS, Table, rate_cell
from ..words.wording import listed, number, percent, signed

if TYPE_CHECKING:
    from ....data.about import About
    from ....data.evidence import Evidence
    from ...sensitivity.borrowing import Borrowing
    from ...sensitivity.result import PriorComparison

_VERDICTS = {"ok": "agrees", "conflict": "conflicts", "undecided": "too few draws to say"}
_METHODS = {"refit": "sampled anew", "reweighted": "re-weighted draws", "exact": "integrated"}


def sets_table(comparison: PriorComparison) -> Table:
    """Tabulate the prior sets: what each says, how it was computed, how well it predicts."""
    whole = comparison.scores[comparison.scores["outcome"].isna()]
    scores = {row["set"]: row for row in whole.drop(columns="outcome").to_dict("records")}
    methods = comparison.methods.drop_duplicates("set").set_index("set")["method"]
    likelihoods = marginal_likelihoods(comparison)
    rows, made = [], []
    for each in comparison.sets:
        score = scores[each.name]
        reference = each.name == comparison.reference
        difference = "reference" if reference else _with_error(score, "elpd_diff", "elpd_diff_se")
        marginal = "" if likelihoods is None else signed(likelihoods[1][each.name], 1)
        method = "the fit of this report" if reference else _METHODS[methods[each.name]]
        source = f"{each.reference}, doi {each.doi}" if each.doi else each.reference
        rows.append(
            (prior_set_words(each.name), each.sentence, source, method, difference, marginal)
        )
        about = {"set": each.name, "sentence": each.sentence, "source": source}
        made.append(about | {"method": methods[each.name]} | score)
    caption = (
        "The priors compared. Prediction: how much better (above zero) or worse each predicts the "
        "studies, every one left out in turn, than the reference; in log density, with the "
        "standard error over studies, that of the computation included"
        + _scored_outcomes(comparison)
        + "."
    )
    if likelihoods is not None:
        named = listed([outcome_words(name).lower() for name in likelihoods[0]])
        caption += (
            f" Log marginal likelihood: of the data on {named}; it punishes vague priors, also "
            "where they do not change the posterior."
        )
    header = ("Prior", "What it says", "Source", "Computed", "Prediction", "Log marginal lik.")
    if likelihoods is None:
        header, rows = header[:-1], [row[:-1] for row in rows]
    return Table("prior_sets", caption, header, rows, pd.DataFrame(made), texts=4)


def _scored_outcomes(comparison: PriorComparison) -> str:
    """Name the outcomes whose studies are scored, where they are not all."""
    scores = comparison.scores[comparison.scores["outcome"].notna()]
    reference = scores[scores["set"] == comparison.reference]
    known = reference["elpd"].notna()
    if known.all():
        return ""
    named = [outcome_words(name).lower() for name in reference["outcome"][known]]
    missing = [outcome_words(name).lower() for name in reference["outcome"][~known]]
    only = f": of {listed(named)} only. " if named else ". "
    return (
        f"{only}Of {listed(missing)} it is not known, since importance sampling cannot leave each "
        "of their studies out"
    )


def marginal_likelihoods(comparison: PriorComparison) -> tuple[list[str], pd.Series] | None:
    """Give the outcomes that were integrated and, by set, their log marginal likelihood."""
    scores = comparison.scores[comparison.scores["outcome"].notna()]
    known = scores[scores["log_marginal_likelihood"].notna()]
    if known.empty:
        return None
    total = known.groupby("set", sort=False)["log_marginal_likelihood"].sum()
    return list(dict.fromkeys(known["outcome"])), total


def _with_error(row: Mapping[Any, Any], value: str, error: str) -> str:
    if row[value] != row[value]:
        return "not known"
    return f"{fixed(row[value], 2, plus=True)} (± {row[error]:.2f})"


def shifts_table(comparison: PriorComparison, evidence: Evidence) -> Table:
    """Tabulate each rate under the reference, and the priors that move it farthest."""
    frame = comparison.rates[comparison.rates["quantity"] == "rate"]
    rows, quiet = [], set()
    for (outcome, disease), mine in frame.groupby(["outcome", "disease"], sort=False):
        base = mine[mine["set"] == comparison.reference].iloc[0].to_dict()
        quiet |= {len(rows)} if base["evidence"] == "borrowed" else set()
        ends = [leaders(mine, "q50", "mcse_q50", largest) for largest in (False, True)]
        rows.append(
            (
                outcome_words(str(outcome)),
                evidence.about.words(str(disease)),
                rate_cell(base, evidence),
                *(f"{rate_cell(end[0], evidence)}\n{_sets_named(end)}" for end in ends),
                _farthest_shift(mine),
            )
        )
    caption = (
        f"Rate of a typical study under {prior_set_words(comparison.reference)}, and under the "
        "priors that put its median lowest and highest (with those within two errors of them, up "
        "to three); largest shift of the mean, in standard deviations of "
        "the reference's posterior. In grey: borrowed. The file has every prior, the next "
        "trial's rate, and each number's Monte-Carlo error."
    )
    if evidence.from_means:
        caption += f" {FROM_MEANS}"
    header = ("Outcome", "Disease", "Reference", "Lowest", "Highest", "Largest shift")
    shown = comparison.rates.reset_index(drop=True)
    return Table("prior_rates", caption, header, rows, shown, quiet=frozenset(quiet), texts=2)


def _sets_named(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Name sets, three at most: the first, and those too close to it to rank."""
    named = [prior_set_words(row["set"]) for row in rows[:3]]
    return ", ".join(named) + (f" and {len(rows) - 3} more" if len(rows) > 3 else "")


def _farthest_shift(mine: pd.DataFrame) -> str:
    row = largest(mine, "shift")
    return signed(abs(row["shift"]), 1, row["shift_mcse"])


def flips_table(comparison: PriorComparison, about: About) -> Table | None:
    """Tabulate the conclusions, and which of them hang on the prior; none without a question."""
    frame = comparison.flips
    if frame.empty:
        return None
    rows = [
        (
            outcome_words(row["outcome"]),
            about.words(row["disease"]),
            asked_words(row),
            f"{_DRAWN[row['concluded']]} ({signed(row['probability'], 3, row['mcse'])})",
            f"{signed(row['lowest'], 3, row['mcse'])} to {signed(row['highest'], 3, row['mcse'])}",
            _changed_by(row),
            _nearest(row),
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        f"What may be concluded where it must have a probability of {frame['confidence'].iloc[0]:g}"
        ": its probability under the reference, the lowest and highest under the priors compared, "
        "which of them change the conclusion, and the nearest prior on a map around the reference "
        "that does (distance 1: the overall level's prior moved by one of its standard "
        "deviations, or the spread between diseases' doubled or halved). What lies within two "
        "errors of the wanted probability is undecided."
    )
    header = (
        "Outcome",
        "Disease",
        "Conclusion",
        "Drawn? (probability)",
        "Over all priors",
        "Changed by",
        "Nearest on the map",
    )
    return Table("prior_flips", caption, header, rows, frame, texts=3)


def asked_words(row: Mapping[Any, Any]) -> str:
    """Say a conclusion in words."""
    threshold = percent(row["threshold"], 0)
    return f"more than {threshold}" if row["direction"] == "above" else f"fewer than {threshold}"


_DRAWN = {"yes": "yes", "no": "not shown", "undecided": "undecided"}


def _changed_by(row: Mapping[Any, Any]) -> str:
    named = {
        column: ", ".join(map(prior_set_words, filter(None, row[column].split(", "))))
        for column in ("changed_by", "open_under")
    }
    parts = [named["changed_by"]] if named["changed_by"] else []
    parts += [f"undecided: {named['open_under']}"] if named["open_under"] else []
    return "\n".join(parts) or "none"


def _nearest(row: Mapping[Any, Any]) -> str:
    if row["concluded"] == "undecided":
        return "undecided"
    if row["distance"] == row["distance"]:
        return f"distance {row['distance']:.1f}"
    return "none" if row["covered"] == 1 else f"none clearly ({row['covered']:.0%} decided)"


def scaling_table(comparison: PriorComparison) -> Table | None:
    """Tabulate what happens when prior or data count a little more; none without draws."""
    frame = comparison.power_scaling
    if frame.empty:
        return None
    rows = [
        (
            outcome_words(row["outcome"]),
            parameter_words(str(row["parameter"])),
            *(f"{row[n]:.3f} (± {row[f'{n}_mcse']:.3f})" for n in ("prior", "likelihood")),
            meaning(row),
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "How far each result moves when the prior, or the data, count a little more: change per "
        "doubling of their weight (power-scaling), with its Monte-Carlo error. Below 0.05 is "
        "hardly at all."
    )
    header = ("Outcome", "What is estimated", "Prior", "Data", "What it means")
    return Table("power_scaling", caption, header, rows, frame, texts=2)


def conflicts_table(comparison: PriorComparison, evidence: Evidence) -> Table:
    """Tabulate whether the reference prior would have expected the data."""
    frame = comparison.conflicts
    labels = study_labels(evidence.studies)
    shown = frame[frame["study"].isna() | (frame["verdict"] != "ok")]
    rows = [
        (
            outcome_words(row["outcome"]),
            labels[row["study"]] if isinstance(row["study"], str) else "all studies together",
            f"{row['direction']} events than expected",
            f"{row['mid_p']:.2g} (± {row['mid_p_mcse']:.1g})",
            _VERDICTS[row["verdict"]],
        )
        for row in shown.to_dict("records")
    ]
    caption = (
        "Would the reference prior have expected such data? Mid-p: how probable it held events at "
        "least as far out. All studies together, and every single study that does not plainly "
        "agree; the file has all."
    )
    header = ("Outcome", "Study", "Seen", "Mid-p", "Prior and data")
    return Table("prior_conflicts", caption, header, rows, frame, texts=3)


def borrowing_table(borrowed: Borrowing, evidence: Evidence) -> Table:
    """Tabulate what each disease takes from the others, and the study that moves it most."""
    labels, about = study_labels(evidence.studies), evidence.about
    studies = borrowed.influence[borrowed.influence["kind"] == "study"]
    rows, quiet = [], set()
    for row in borrowed.diseases.to_dict("records"):
        own = row["patients"] > 0
        nested = "" if own else _nested_counts(evidence.rows, row)
        quiet |= set() if own or nested else {len(rows)}
        mine = studies[
            (studies["outcome"] == row["outcome"]) & (studies["disease"] == row["disease"])
        ]
        rows.append(
            (
                outcome_words(row["outcome"]),
                about.words(row["disease"]),
                str(row["patients"]) if own else f"none{nested}",
                number(max(row["borrowed"], 0.0), row["borrowed_mcse"]),
                f"{percent(row['others_mean'], 0)} → {percent(row['mean'], 0)}",
                _own_share(row),
                _VERDICTS[row["verdict"]] if own else "",
                _farthest(mine, labels),
            )
        )
    caption = (
        "What each disease takes from the others: its own patients beside the number of patients "
        "that the other diseases are worth to it, its mean rate by the others alone and with its "
        "own data, the share of its level that comes from its own data (0 %: a small change of "
        "them would not move it; 100 %: a small change of all else would not; for an outcome "
        "within another, of its level among the patients who have that one), whether its own data "
        "agree with them, and the study that moves its mean rate most "
        "when it is left out (in posterior standard deviations), or two that are too close to "
        "rank. Where only an outcome within this one was counted, that is data of its own too. In "
        "grey: no data of its own."
    )
    header = (
        "Outcome",
        "Disease",
        "Own patients",
        "Others worth",
        "Others alone → all",
        "From own data",
        "Own data and the others",
        "Left out, it moves most",
    )
    frame = borrowed.diseases.drop(columns="sentence")
    return Table("borrowing", caption, header, rows, frame, quiet=frozenset(quiet), texts=2)


def _nested_counts(rows: pd.DataFrame, row: Mapping[Any, Any]) -> str:
    """Say of how many patients only an outcome within this one was counted; empty where of none."""
    inner = rows["outcome"].map(lambda name: PARENTS.get(str(name)) == row["outcome"])
    mine = rows[inner & (rows["disease"] == row["disease"])]
    if mine.empty:
        return ""
    return f", but {mine['n'].sum()} for {outcome_in_text(mine['outcome'].iloc[0])}"


def _own_share(row: Mapping[Any, Any]) -> str:
    share, error = min(max(row["own_share"], 0.0), 1.0), row["own_share_mcse"]
    return percent(share, 0) + (f" (± {100 * error:.0f})" if error >= 0.005 else "")


def _farthest(influence: pd.DataFrame, labels: Mapping[str, str]) -> str:
    if influence.empty:
        return "–"
    moves = influence.assign(size=influence["change"].abs()).dropna(subset="size")
    rows = leaders(moves, "size", "change_mcse")
    if all(row["size"] <= CERTAIN * row["change_mcse"] for row in rows):
        return "none clearly"
    return "\n".join(f"{labels[row['left_out']]}: {_change(row)}" for row in rows[:2])


def _change(row: Mapping[Any, Any]) -> str:
    return ("+" if row["change"] > 0 else "") + signed(row["change"], 1, row["change_mcse"])


def largest(frame: pd.DataFrame, column: str) -> dict[Any, Any]:
    """Give the row whose number is farthest from zero."""
    return frame.iloc[int(frame[column].abs().fillna(-1).to_numpy().argmax())].to_dict()


def influence_table(borrowed: Borrowing, evidence: Evidence) -> Table:
    """Tabulate the studies and diseases whose absence moves a rate by half a deviation or more."""
    labels, about = study_labels(evidence.studies), evidence.about
    frame = borrowed.influence
    margin = CERTAIN * frame["change_mcse"]
    size = frame["change"].abs()
    frame = frame.assign(
        strong=np.select(
            [size - margin >= _STRONG, size + margin < _STRONG], ["yes", "no"], "undecided"
        )
    )
    strong = frame[(frame["strong"] != "no") & ~_of_itself(frame)]
    strong = strong.sort_values("change", key=lambda change: -change.abs())
    rows = [
        (
            outcome_words(row["outcome"]),
            about.words(row["disease"]),
            labels[row["left_out"]] if row["kind"] == "study" else about.words(row["left_out"]),
            percent(row["mean"], error=row["mcse_mean"]),
            f"{fixed(row['change'], 2, plus=True)} (± {row['change_mcse']:.2f})",
            row["strong"],
        )
        for row in strong.to_dict("records")
    ]
    caption = (
        f"What leaving out one study, or all of another disease, changes by {_STRONG:g} posterior "
        "standard deviations or more: mean rate without it, the change, and whether it is beyond "
        "two errors that large; undecided where its error allows either. The file has every study "
        "and every disease left out."
    )
    header = (
        "Outcome",
        "Rate in",
        "Left out",
        "Mean without it",
        "Change",
        f"{_STRONG:g} or more?",
    )
    return Table("left_out_influence", caption, header, rows, frame, texts=3)


#: Change of a mean, in posterior standard deviations, that is shown on the page.
_STRONG = 0.5


def _of_itself(frame: pd.DataFrame) -> pd.Series:
    return (frame["kind"] == "disease") & (frame["left_out"] == frame["disease"])


def conclusions(frame: pd.DataFrame, about: About) -> list[str]:
    """Name conclusions, grouped by outcome."""
    return [
        f"{outcome_words(str(outcome)).lower()} in "
        f"{listed([about.in_text(disease) for disease in rows['disease']])}"
        for outcome, rows in frame.groupby("outcome", sort=False)
    ]
