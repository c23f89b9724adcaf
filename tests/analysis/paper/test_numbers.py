"""Every number that figures, tables and designs show of a rate is that of the fit's own tables."""

import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mscpool.analysis.fitting import summary
from mscpool.analysis.fitting.fit import fit, hyper, rates, terms_of
from mscpool.analysis.guard.result import UNCHECKED
from mscpool.analysis.paper.frames import rates as frames
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.frames.sensitivity import prior_posterior_data
from mscpool.analysis.paper.publish import tables as paper
from mscpool.analysis.paper.report import tables as report
from mscpool.analysis.paper.words.wording import interval, number, percent, signed, span
from mscpool.analysis.trial.fit_priors import FitPriors
from mscpool.data.evidence import load_evidence
from mscpool.models.exact.outcomes import exact_outcomes

CASES = Path(__file__).parent / "cases"
DATA = {"many studies": CASES / "many65.csv", "one disease": CASES / "rbest22.csv", "shipped": None}
ENDS = ["q2.5", "q50", "q97.5"]


def as_sampled(made, evidence):
    """Lay a fit out as the sampler's: its tables are computed from draws."""
    terms = replace_names(terms_of(evidence), made)
    groups = {
        name: group.to_dataset()
        for name, group in made.children.items()
        if name not in ("shown", "densities")
    }
    rate, parameters, _ = summary.summarise(groups["posterior"], terms, terms.names)
    groups["rates"], groups["hyper"] = summary.to_dataset(rate), summary.to_dataset(parameters)
    groups["hyper"].attrs = made["hyper"].attrs
    tree = xr.DataTree.from_dict(groups)
    tree.attrs.update(made.attrs)
    return tree


def replace_names(terms, made):
    fitted = tuple(made["posterior"]["outcome"].to_numpy().tolist())
    return replace(terms, outcomes=tuple(o for o in terms.outcomes if o.name in fitted))


@pytest.fixture(scope="module", params=DATA)
def evidence(request):
    return load_evidence(DATA[request.param])


@pytest.fixture(scope="module", params=["integrated", "sampled"])
def results(request, evidence):
    with warnings.catch_warnings(action="ignore"):
        made = fit(evidence, engine="exact", draws=300, chains=2)
    made = made if request.param == "integrated" else as_sampled(made, evidence)
    return Results(made, evidence, UNCHECKED, {"partial": made})


@pytest.fixture(scope="module")
def stored(results):
    """Rows of the fit's own table of rates, by outcome, disease and quantity."""
    frame = rates(results.fit)
    columns = ["mean", *ENDS, *summary.ERRORS]
    return frame.set_index(["outcome", "disease", "quantity"])[columns].astype(float)


@pytest.fixture(scope="module")
def forests(results):
    """The frame of every outcome's forest plot."""
    return {
        name: frames.forest_data(results.fit, results.evidence, name) for name in results.outcomes
    }


def close(found, wanted):
    # Rates are between 0 and 1, and both come from the same integrals or draws.
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(wanted, float), atol=1e-9)


def test_the_frame_of_rates_is_the_fits_table(results, stored):
    frame = frames.rates_data(results.fit, results.evidence)
    assert len(frame) == 2 * len(results.outcomes) * len(results.evidence.diseases)
    for row in frame.to_dict("records"):
        wanted = stored.loc[(row["outcome"], row["disease"], row["quantity"])]
        close([row[name] for name in ("mean", *ENDS)], wanted[["mean", *ENDS]])
        assert row["q2.5"] <= row["q25"] <= row["q50"] <= row["q75"] <= row["q97.5"]


def test_forests_show_the_fits_rates_and_next_trials(results, stored, forests):
    for outcome, frame in forests.items():
        for row in frame[frame["row"].isin(["rate", "new_study"])].to_dict("records"):
            wanted = stored.loc[(outcome, row["disease"], row["row"]), ENDS]
            close([row["low"], row["estimate"], row["high"]], wanted)
        for row in frame[frame["row"] == "new_disease"].to_dict("records"):
            own = rates(results.fit).query("outcome == @outcome and quantity == 'new_disease'")
            close([row["low"], row["estimate"], row["high"]], own[ENDS].iloc[0])


def test_forests_show_each_studys_own_rate(results, forests):
    known = summary.shown(results.fit)
    integrated = "shown" in results.fit.children
    exact = None
    if integrated:
        table = exact_outcomes(results.evidence).study_rates()
        exact = table.set_index(["outcome", "study"])
    for outcome, forest in forests.items():
        frame = forest[forest["row"] == "study"]
        assert frame["estimate"].notna().all()
        for row in frame.to_dict("records"):
            one = {"outcome": outcome, "quantity": "study_rate", "study": row["study"]}
            own = summary.one_shown(known, **one)
            wanted = [own[name] for name in ENDS]
            if exact is not None:
                wanted = exact.loc[(outcome, row["study"]), ENDS]
            close([row["low"], row["estimate"], row["high"]], wanted)


def test_what_is_shown_is_computed_once_and_stays_the_same(results, monkeypatch):
    computed = summary.shown(results.fit)
    told = summary.with_shown(results.fit)
    monkeypatch.setattr(summary, "_shown_of_draws", None)
    kept, names = summary.shown(told), ["outcome", "quantity", "disease", "study"]
    assert (kept[names].fillna("") == computed[names].fillna("")).all(axis=None)
    numbers = computed.columns.drop(names)
    np.testing.assert_array_equal(kept[numbers].to_numpy(), computed[numbers].to_numpy())


def test_pictures_of_parts_show_the_same_rates(results, stored):
    parts = [frames.pooling_data(results.poolings, results.evidence)]
    parts += [
        frames.nested_data(results.fit, results.evidence, child)
        for child in frames.nested_children(results.fit)
    ]
    harms = frames.safety_data(results.fit, results.evidence)
    parts += [harms[harms["quantity"] == "rate"]]
    for row in (row for frame in parts for row in frame.to_dict("records")):
        close(
            [row[name] for name in ENDS], stored.loc[(row["outcome"], row["disease"], "rate"), ENDS]
        )


def test_tables_of_a_paper_and_of_the_report_print_the_fits_rates(results, stored):
    printed = paper.rates_table(results.fit, results.evidence, UNCHECKED).cells
    wanted = [
        interval(stored.loc[(outcome, disease, "rate")].to_dict())
        for outcome in results.outcomes
        for disease in results.evidence.diseases
    ]
    (column,) = (name for name in printed if "interval" in name)
    assert printed[column].tolist() == wanted
    for outcome in results.outcomes:
        cells = report.rates_table(results, outcome).cells.astype(str).to_numpy().ravel().tolist()
        for disease in results.evidence.diseases:
            for quantity in ("rate", "new_study"):
                shown = interval(stored.loc[(outcome, disease, quantity)].to_dict())
                assert any(shown in cell for cell in cells)


def test_densities_have_the_quantiles_of_the_table(results):
    """Mass to the left of each quantile, of what the picture of priors and posteriors draws."""
    frame = prior_posterior_data(results.fit)
    frame = frame[frame["group"] == "posterior"]
    table = hyper(results.fit).rename(columns={"parameter": "quantity"})
    table = pd.concat([table, rates(results.fit).query("quantity == 'new_disease'")])
    for row in table.to_dict("records"):
        own = frame[(frame["outcome"] == row["outcome"]) & (frame["parameter"] == row["quantity"])]
        step = own["value"].diff().median()
        mass = own["density"].cumsum() * step
        found = np.interp(row["q50"], own["value"] + step / 2, mass)
        # A smoothed histogram of 600 draws is off by more than a density read at 200 points.
        assert found == pytest.approx(0.5, abs=0.01 if "shown" in results.fit.children else 0.06)


def test_priors_of_a_design_are_the_fits_rates(results, stored):
    for (outcome, disease, quantity), wanted in stored.iterrows():
        if quantity == "new_disease" or disease is None:
            continue
        prior = FitPriors(results.fit, outcome, disease)
        known = getattr(prior, quantity)
        values, weights = np.asarray(known.rates), np.asarray(known.weights)
        order = np.argsort(values)
        reached = np.cumsum(weights[order]) - weights[order] / 2
        found = np.interp([0.025, 0.5, 0.975], reached, values[order])
        # An interval between quantiles that are kept; between two of 600 draws.
        np.testing.assert_allclose(found, wanted[ENDS], atol=2e-3, rtol=0.02)


def printed(results):
    """Every cell of every table that prints rates, by its place."""
    made = [report.rates_table(results, outcome) for outcome in results.outcomes]
    made += [paper.rates_table(results.fit, results.evidence, UNCHECKED)]
    made += [paper.diagnostics_table(results.fit, UNCHECKED)]
    made += [report.nested_table(results, name) for name in frames.nested_children(results.fit)]
    made += [
        each
        for each in (report.safety_table(results), report.pooling_table(results))
        if each is not None
    ]
    skipped = {"R-hat", "Effective draws", "Monte-Carlo error of the mean"}
    return [
        ((table.name, place, head), cell)
        for table in made
        for head in table.header
        if head not in skipped
        for place, cell in enumerate(table.cells[head].astype(str))
    ]


NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?")


def test_tables_print_no_digit_that_another_seed_would_change_by_more_than_the_error(evidence):
    """Two errors are within a unit of the last digit: another seed moves it by a few units."""
    with warnings.catch_warnings(action="ignore"):
        made = [
            as_sampled(fit(evidence, engine="exact", draws=300, chains=2, seed=seed), evidence)
            for seed in (1, 2)
        ]
    one, other = (
        printed(Results(each, evidence, UNCHECKED, {"partial": each, "none": each}))
        for each in made
    )
    apart = []
    for (place, first), (_, second) in zip(one, other, strict=True):
        for a, b in zip(NUMBER.findall(first), NUMBER.findall(second), strict=True):
            decimals = min(len(text.partition(".")[2]) for text in (a, b))
            gap = abs(float(a.replace("−", "-")) - float(b.replace("−", "-"))) * 10**decimals
            # Whole percents are printed whatever their error.
            if decimals:
                apart.append((gap, place, first, second))
    worst = max(apart, default=(0.0,))
    # A unit is two errors: the difference of two seeds has an SD of 0.7 units; 4.5 of these, and
    # one for rounding.
    assert worst[0] < 4.2, worst
    assert apart


def test_numbers_are_written_in_the_digits_that_their_error_supports():
    row = {"q50": 0.0169, "q2.5": 0.0016, "q97.5": 0.0548}
    errors = {"mcse_q50": 0.0002, "mcse_q2.5": 0.0002, "mcse_q97.5": 0.002}
    assert interval(row) == "1.7 % (0.2 to 5.5)"
    assert interval(row | errors) == "1.7 % (0.2 to 5)"
    assert interval(row | dict.fromkeys(errors, float("nan"))) == "1.7 % (0.2 to 5.5)"
    assert span(row | errors) == "0.2 to 5 %"
    assert number(3.81) == "3.81"
    assert [number(3.81, error) for error in (0.001, 0.02, 0.24)] == ["3.81", "3.8", "4"]
    assert number(0.0444, 0.0003) == "0.044"
    assert number(99.7, digits=2) == "100"
    assert signed(-1.26, 2, 0.03) == "−1.3"
    assert percent(0.066, error=0.004) == "7 %"
