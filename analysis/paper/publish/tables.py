"""Tables of a paper: studies, rates, prior sets and diagnostics, ready to be set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from ....data.means import MODELLED_SIGN
from ....data.names import level_scale, outcome_words, prior_set_words, timed_words, words
from ...fitting.diagnostics import diagnostics
from ...fitting.ranking import leaders
from ...fitting.summary import hyper, rates
from ...guard.result import CheckResult
from ..frames import rates as gather
from ..frames import sensitivity as gather_sensitivity
from ..frames.results import Results
from ..words.table import BORROWED, FROM_MEANS, Table, rate_rows, studies_in_words
from ..words.wording import interval, number, signed

if TYPE_CHECKING:
    from xarray import DataTree

    from ....data.about import About
    from ....data.evidence import Evidence
    from ...sensitivity.result import PriorComparison

_PARAMETERS = {
    "mu": "Overall level (μ)",
    "tau": "Between diseases (τ)",
    "sigma": "Between studies (σ)",
}
# Signs of tables and of names that LaTeX's own fonts lack.
_LATEX_SIGNS = {
    **{"μ": r"$\mu$", "µ": r"$\mu$", "τ": r"$\tau$", "σ": r"$\sigma$"},
    **{MODELLED_SIGN: r"$\circ$", "−": "$-$", "≥": r"$\geq$", "≤": r"$\leq$", "…": r"\ldots{}"},
}


def as_html(table: Table) -> str:
    """Give a table as an HTML fragment, its texts escaped; the first column heads groups."""
    return _set(table).as_raw_html()


def as_latex(table: Table) -> str:
    """Give a table as LaTeX (needs the packages booktabs and caption).

    Set so small and close that the widest table fits a journal's double column of 180 mm.
    """
    text = _set(table).tab_options(table_font_size="6.5pt").as_latex()
    text = text.replace("\\selectfont\n", "\\selectfont\n\\setlength{\\tabcolsep}{2pt}\n", 1)
    for sign, command in _LATEX_SIGNS.items():
        text = text.replace(sign, command)
    return text.replace("\\\\\n*", "\\\\\n{}*")  # a row's end would take the star for its own


def _set(table: Table) -> Any:
    from great_tables import GT

    shown = GT(table.cells, groupname_col=table.header[0], id=table.name.replace("_", "-"))
    return shown.tab_header(title=table.caption).tab_source_note(table.note)


def _table(name: str, title: str, rows: pd.DataFrame, frame: pd.DataFrame, note: str) -> Table:
    cells = list(map(tuple, rows.to_numpy(dtype=object).tolist()))
    return Table(name, title, tuple(rows.columns), cells, frame, note=note)


def paper_tables(results: Results) -> list[Table]:
    """Make the tables of a paper.

    Parameters
    ----------
    results : Results
        A fit with all that was found of it.

    Returns
    -------
    list of Table
        Study characteristics, rates, diagnostics, and, where it was made, the comparison of priors.
    """
    fit, checked, comparison = results.fit, results.checked, results.comparison
    made = [
        characteristics_table(results.evidence),
        rates_table(fit, results.evidence, checked),
        diagnostics_table(fit, checked),
    ]
    return (
        made
        if comparison is None
        else [*made, priors_table(comparison, checked, results.evidence.about)]
    )


def characteristics_table(evidence: Evidence) -> Table:
    """Make the table of study characteristics."""
    frame = gather.characteristics_data(evidence)
    heads = {
        "disease": "Disease", "label": "Study", "design": "Design", "cell_source": "Cells",
        "donor": "Donor", "route": "Route", "patients": "Treated", "controls": "Controls",
        "months": "Follow-up, months",
    }  # fmt: skip
    shown = studies_in_words(frame, evidence.about)[list(heads)].astype(str).replace("", "–")
    note = "A dash stands for what was not reported or not recorded."
    return _table(
        "table_characteristics", "Study characteristics", shown.rename(columns=heads), frame, note
    )


def _judged(outcome: Any, checked: CheckResult) -> str:
    """Head the rows of an outcome: its name, and the guard's verdict on it."""
    return f"{outcome_words(str(outcome))} (guard: {checked.verdict_of(str(outcome))})"


def rates_table(fit: DataTree, evidence: Evidence, checked: CheckResult) -> Table:
    """Make the table of rates, with the guard's verdict on each outcome."""
    frame = gather.rates_data(fit, evidence)
    rows = [
        {
            "Outcome": _judged(outcome, checked),
            "Disease": row.disease,
            "Studies": str(row.studies),
            "Patients": str(row.patients),
            "Rate (95 % interval)": row.rate,
            "Next trial (95 % prediction)": row.next_trial,
            "Evidence": words(BORROWED if row.borrowed else "direct"),
        }
        for outcome, of_outcome in frame.groupby("outcome", sort=False)
        for row in rate_rows(of_outcome, evidence)
    ]
    timed = timed_words(dict.fromkeys(frame["outcome"]))
    timed = f"; {timed} is the 12-month risk" if timed else ""
    note = (
        f"Posterior medians and central 95 % intervals{timed}. Borrowed: no study of that disease, "
        "the rate follows from the other diseases. Single-arm rates are not treatment effects."
    )
    if evidence.from_means:
        note += f" {FROM_MEANS}"
    return _table("table_rates", "Rates by outcome and disease", pd.DataFrame(rows), frame, note)


def diagnostics_table(fit: DataTree, checked: CheckResult) -> Table:
    """Make the table of hyperparameters and of the sampling's worst diagnostics."""
    frame = hyper(fit)
    rows = [
        {
            "Outcome": _judged(row["outcome"], checked),
            "Parameter": _PARAMETERS.get(str(row["parameter"]), str(row["parameter"])),
            "Median": signed(row["q50"], error=row["mcse_q50"]),
            "95 % interval": " to ".join(
                signed(row[q], error=row[f"mcse_{q}"]) for q in ("q2.5", "q97.5")
            ),
            "R-hat": signed(row["r_hat"], 3),
            "Effective draws": number(row["ess_bulk"]),
            "Monte-Carlo error of the mean": number(row["mcse_mean"]),
        }
        for row in frame.to_dict("records")
    ]
    reported, worst = rates(fit), diagnostics(fit)
    note = (
        f"On the {level_scale(list(reported['outcome'].unique()), ' scale')}. Over all "
        f"{len(reported) + len(rows)} reported quantities: largest R-hat "
        f"{signed(worst['max_r_hat'], 3)}, fewest effective draws {number(worst['min_ess_bulk'])} "
        f"(bulk) and {number(worst['min_ess_tail'])} (tail), {number(worst['divergences'])} "
        f"divergences, smallest E-BFMI {signed(worst['e_bfmi'])}."
    )
    title = "Hyperparameters and diagnostics"
    return _table("table_diagnostics", title, pd.DataFrame(rows), frame, note)


def _with_sets(rows: Sequence[Mapping[Any, Any]]) -> str:
    return f"{interval(rows[0])} ({', '.join(prior_set_words(row['set']) for row in rows)})"


def priors_table(comparison: PriorComparison, checked: CheckResult, about: About) -> Table:
    """Make the table of the rates under the reference and the priors that move them farthest."""
    frame = gather_sensitivity.prior_comparison_data(comparison)
    rows = []
    for (outcome, disease), mine in frame.groupby(["outcome", "disease"], sort=False):
        base = mine[mine["set"] == comparison.reference].iloc[0].to_dict()
        lowest, highest = (leaders(mine, "q50", "mcse_q50", largest) for largest in (False, True))
        farthest = mine.iloc[mine["shift"].abs().fillna(-1).to_numpy().argmax()]
        rows.append(
            {
                "Outcome": _judged(outcome, checked),
                "Disease": about.words(str(disease)),
                "Rate (95 % interval)": interval(base),
                "Lowest (prior)": _with_sets(lowest),
                "Highest (prior)": _with_sets(highest),
                "Largest shift": signed(abs(farthest["shift"]), 1, farthest["shift_mcse"]),
            }
        )
    methods = comparison.methods.drop_duplicates("set")["method"].value_counts()
    counted = ", ".join(f"{number(count)} {method}" for method, count in methods.items())
    note = (
        "Posterior medians and central 95 % intervals under the reference set "
        f"{prior_set_words(comparison.reference)}, and under the prior sets with the lowest and "
        "the highest median, those within two errors of them named too. Shift: largest of the mean "
        "against the reference, in standard deviations of its posterior. Prior sets compared "
        f"({counted}): {', '.join(prior_set_words(each.name) for each in comparison.sets)}."
    )
    return _table("table_priors", "Rates under several prior sets", pd.DataFrame(rows), frame, note)
