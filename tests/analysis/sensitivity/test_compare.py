"""Prior sets side by side: shapes, refusals, conflicts, flips, and published numbers."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import mscpool as mp
from mscpool.analysis.fitting.fit import fit, load_fit, run_config, terms_of
from mscpool.analysis.fitting.sampling import Sampling
from mscpool.analysis.fitting.summary import hyper, rates
from mscpool.analysis.sensitivity import store
from mscpool.analysis.sensitivity.compare import compare_priors
from mscpool.analysis.sensitivity.flips import flips
from mscpool.analysis.sensitivity.prior_conflict import prior_conflicts
from mscpool.analysis.sensitivity.prior_map import prior_grid
from mscpool.analysis.sensitivity.questions import Question
from mscpool.data.evidence import load_evidence
from mscpool.data.outcomes import Outcome
from mscpool.models.exact.outcomes import exact_model
from mscpool.models.exact.predictions import own_shares
from mscpool.models.priors.catalogue import CATALOGUE
from mscpool.models.priors.files import prior_set
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, PriorSet

from ... import builders

STATISTICS = ["mean", "sd", "q2.5", "q50", "q97.5"]


def evidence_of(folder, rows, columns="study,disease,events,n"):
    lines = (",".join(map(str, row)) for row in [[columns], *rows])
    return builders.evidence_of(folder, "\n".join(lines))


@pytest.fixture(scope="module")
def alike(tmp_path_factory):
    """Four diseases with one rate, two studies each, and a fifth far from them."""
    rows = [
        (f"s{d}{i}", f"d{d}", events, 40)
        for d, pair in enumerate([(8, 9), (7, 8), (9, 8), (8, 7), (38, 37)])
        for i, events in enumerate(pair)
    ]
    return evidence_of(tmp_path_factory.mktemp("alike"), rows)


@pytest.fixture(scope="module")
def published(root):
    return json.loads((root / "tests/reference/single_arm_binomial.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"sets": ["default", "sceptic"]}, "unknown prior set 'sceptic'"),
        ({"sets": []}, "no prior sets to compare"),
        ({"sets": ["default", "default"]}, "two prior sets are called 'default'"),
        ({"threshold": 1.2}, "threshold must lie strictly between 0 and 1, not 1.2"),
        ({"threshold": 0.3, "confidence": 0.0}, "confidence must lie strictly between 0 and 1"),
        ({"engine": "grid"}, "unknown engine 'grid'"),
    ],
)
def test_bad_input_is_refused_in_one_line(alike, arguments, said):
    with pytest.raises(ValueError, match=said) as refused:
        compare_priors(alike, **arguments)
    assert "\n" not in str(refused.value)


def test_a_negative_scale_in_a_prior_file_is_refused_with_its_place():
    text = 'name = "mine"\n[tau]\ndist = "HalfNormal"\nsigma = -1\n'
    with pytest.raises(ValueError, match=r"mine.toml: \[tau\]: HalfNormal: sigma must be positive"):
        prior_set(text, "mine.toml")


def test_fits_of_other_data_are_refused_with_both_hashes(alike):
    other = xr.DataTree()
    other.attrs["run_config"] = json.dumps({"data_sha256": "abc123", "pooling": "partial"})
    with pytest.raises(ValueError, match=f"abc123.*{alike.sha256}"):
        compare_priors(alike, ["default"], fits=other)


def test_poolings_that_differ_are_refused(alike):
    other = xr.DataTree()
    other.attrs["run_config"] = json.dumps({"data_sha256": alike.sha256, "pooling": "robust"})
    with pytest.raises(ValueError, match="pooling differs .partial and robust."):
        compare_priors(alike, ["default"], pooling="partial", fits=[other])


def test_single_arm_tables_are_the_published_ones_under_two_priors(tmp_path, published):
    """Transplant data, mu ~ N(0, 2): posterior, prediction and marginal likelihood (RBesT)."""
    data = published["transplant"]
    rows = [(f"s{i}", r, n) for i, (r, n) in enumerate(zip(data["r"], data["n"], strict=True))]
    evidence = evidence_of(tmp_path, rows, "study,events,n")
    mu = Prior.make("Normal", mu=0, sigma=2)
    sets = [
        PriorSet(f"HN({scale:g})", mu=mu, sigma=Prior.make("HalfNormal", sigma=scale))
        for scale in (1.0, 0.5)
    ]
    found = compare_priors(evidence, sets, engine="exact")
    for name in ("HN(1)", "HN(0.5)"):
        wanted = data[name]
        hyper = found.hyper[found.hyper["set"] == name].set_index("parameter")
        rates = found.rates[found.rates["set"] == name].set_index("quantity")
        score = found.scores[(found.scores["set"] == name) & found.scores["outcome"].isna()]
        tolerance = published["tol_exact"]
        # With one disease the spread between studies is this model's sigma.
        assert hyper.loc["sigma", ["mean", "sd"]].tolist() == pytest.approx(
            wanted["tau"], abs=tolerance
        )
        prediction = rates.loc["new_study", ["mean", "sd"]].tolist()
        assert prediction == pytest.approx(wanted["pred"], abs=tolerance)
        assert rates.loc["new_study", ["q2.5", "q50", "q97.5"]].tolist() == pytest.approx(
            wanted["pred_q"], abs=tolerance
        )
        marginal = score["log_marginal_likelihood"].item()
        assert marginal == pytest.approx(wanted["log_ml"], abs=tolerance)


EXACTLY = ["default", "enthusiastic", "near_complete_pooling"]


@pytest.fixture(scope="module")
def exactly(alike):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mscpool.analysis.sensitivity.prior_map.MU_STEPS", np.linspace(-2, 2, 3))
        patch.setattr(
            "mscpool.analysis.sensitivity.prior_map.TAU_SCALES", np.array([0.25, 1.0, 4.0])
        )
        return compare_priors(alike, EXACTLY, engine="exact", threshold=0.3)


def test_exact_comparison_has_the_shape_of_the_contract(exactly):
    found = exactly.to_dict()
    json.dumps(found, allow_nan=False)
    assert list(found) == ["reference", "sets", "power_scaling", "conflicts", "flips"]
    assert found["reference"] == "default"
    assert [each["name"] for each in found["sets"]] == EXACTLY
    first = found["sets"][0]
    assert first["method"] == "exact"
    assert first["pareto_k"] is None
    assert first["elpd_diff"] == 0
    assert isinstance(first["log_marginal_likelihood"], float)
    assert set(STATISTICS) <= set(first["rates"][0])
    assert {"outcome", "disease", "quantity", "studies", "patients", "evidence"} <= set(
        first["rates"][0]
    )
    assert {row["parameter"] for row in first["hyper"]} == {"mu", "tau", "sigma"}
    assert set(found["conflicts"][0]) == {"outcome", "study", "mid_p", "verdict"}
    assert set(found["flips"][0]) == {
        "outcome",
        "disease",
        "threshold",
        "direction",
        "probability",
        "verdict",
        "nearest",
    }


def test_every_set_shifts_from_the_reference_and_the_reference_not_at_all(exactly):
    rates = exactly.rates[exactly.rates["quantity"] == "rate"]
    base = rates[rates["set"] == "default"]
    assert (base["shift"] == 0).all()
    assert base["overlap"].tolist() == pytest.approx([1] * len(base), abs=1e-6)
    pulled = rates[rates["set"] == "near_complete_pooling"].set_index("disease")
    assert pulled.loc["d4", "shift"] < -3
    assert pulled.loc["d4", "overlap"] < 0.1


def test_data_that_differ_between_diseases_speak_against_near_complete_pooling(exactly):
    whole = exactly.scores[exactly.scores["outcome"].isna()].set_index("set")
    assert whole["log_marginal_likelihood"].idxmin() == "near_complete_pooling"
    assert whole.loc["near_complete_pooling", "elpd_diff"] < -5


def test_sentences_are_for_a_reader_who_knows_no_method(exactly):
    said = exactly.sentences()
    assert any("The prior matters most for" in each for each in said)
    assert any("None of the other priors compared changes it" in each for each in said)


def test_priors_before_the_data_are_those_of_the_catalogue(exactly):
    from mscpool.models.exact.implied import implied_rates

    wanted = implied_rates(CATALOGUE["default"], Outcome("response")).set_index("quantity")
    row = exactly.before[exactly.before["set"] == "default"].set_index("quantity")
    for quantity in ("new_disease", "new_study"):
        score = row.loc[quantity, "mean"] - wanted.loc[quantity, "mean"]
        assert abs(score) < 4.5 * row.loc[quantity, "mcse_mean"]


def test_densities_on_the_probability_scale_have_mass_one(exactly):
    for _, part in exactly.densities.groupby(["set", "disease"]):
        for column in ("prior", "posterior"):
            mass = np.trapezoid(part[column], part["rate"])
            # What lies beyond log-odds of 9 is not shown: under the vague prior about a third.
            assert mass < 1.01
            if column == "posterior":
                assert mass == pytest.approx(1, abs=0.01)


def test_flip_is_the_nearest_prior_of_the_map_that_changes_the_conclusion(exactly):
    by_set = pd.DataFrame(
        {"set": "default", "outcome": "response", "disease": ["d0"], "probability": 0.0, "mcse": 0}
    )
    part = exactly.flip_map[exactly.flip_map["disease"] == "d0"]
    wanted = float(part["probability"].quantile(0.7))
    row = flips(exactly.flip_map, by_set, {"response": Question(0.3)}, wanted).iloc[0]
    assert row["concluded"] == "no"
    changed = part[part["probability"] > wanted + 2 * part["mcse"]]
    assert row["distance"] == changed["distance"].min()
    nearest = changed.loc[changed["distance"].idxmin()]
    assert row["nearest_probability"] == nearest["probability"]


def test_a_point_of_the_map_is_what_its_prior_says_by_itself(alike, exactly):
    grid = prior_grid(DEFAULT, "response", True)
    point = exactly.flip_map[exactly.flip_map["disease"] == "d4"].iloc[12]
    moved = PriorSet(
        "moved",
        mu=Prior.make("Normal", mu=point["mu"], sigma=grid.spread),
        tau=Prior.make("HalfNormal", sigma=point["tau_scale"]),
    )
    alone = exact_model(alike).fit(moved, verify=False).probability_above("response", 0.3)["d4"]
    assert point["probability"] == pytest.approx(alone, abs=1e-4)


def test_a_prior_far_from_the_data_is_flagged_and_a_matched_one_is_not(alike):
    far = PriorSet("far", mu=Prior.make("Normal", mu=-6, sigma=0.3))
    terms = terms_of(replace_diseases(alike))
    whole = prior_conflicts(terms, "partial", far, 1)
    assert whole[whole["study"].isna()]["verdict"].tolist() == ["conflict"]
    assert whole[whole["study"].isna()]["direction"].tolist() == ["more"]
    matched = prior_conflicts(terms, "partial", DEFAULT, 1)
    assert set(matched["verdict"]) == {"ok"}


def replace_diseases(evidence):
    """Keep the four diseases that are alike."""
    return evidence.select(diseases=("d0", "d1", "d2", "d3"))


@pytest.fixture(scope="module")
def fitted(alike):
    return fit(alike, draws=500, tune=500, chains=4, seed=2)


def states_what_the_fit_states(comparison, made):
    """Both tables of the reference, to every digit."""
    for mine, own, keys in (
        (comparison.rates, rates(made), ["outcome", "disease", "quantity"]),
        (comparison.hyper, hyper(made), ["outcome", "parameter"]),
    ):
        columns = [*STATISTICS, *(f"mcse_{name}" for name in STATISTICS), "r_hat", "ess_bulk"]
        stated, wanted = (
            {
                tuple(str(row[key] or "") for key in keys): [float(row[c] or 0) for c in columns]
                for row in table.fillna({"disease": ""}).to_dict("records")
            }
            for table in (mine[mine["set"] == comparison.reference], own)
        )
        assert list(stated) == list(wanted)
        np.testing.assert_array_equal(list(stated.values()), list(wanted.values()))


def test_the_reference_states_what_its_exact_fit_states(alike):
    with warnings.catch_warnings(action="ignore"):
        made = fit(alike, engine="exact", draws=100)
    states_what_the_fit_states(
        compare_priors(alike, ["default", "sceptical"], fits=made, engine="exact"), made
    )


@pytest.mark.mcmc
def test_the_reference_states_what_its_sampled_fit_states(alike, fitted):
    states_what_the_fit_states(compare_priors(alike, ["default", "sceptical"], fits=fitted), fitted)


@pytest.mark.mcmc
def test_reweighted_and_refitted_results_agree_within_their_error(alike, fitted):
    names = ["default", "tau_half_normal_0.5", "enthusiastic", "near_no_pooling"]
    light = compare_priors(alike, names, fits=fitted)
    heavy = compare_priors(alike, names, fits=fitted, refit=True, draws=500)
    assert light.methods.groupby("set")["method"].first()["tau_half_normal_0.5"] == "reweighted"
    assert light.methods.groupby("set")["method"].first()["near_no_pooling"] == "refit"
    assert set(heavy.methods["method"]) == {"refit"}
    score = (light.rates["mean"] - heavy.rates["mean"]) / np.hypot(
        light.rates["mcse_mean"], heavy.rates["mcse_mean"]
    )
    assert score.abs().max() < 4.5


@pytest.mark.mcmc
def test_sampled_comparison_has_the_shape_of_the_contract(alike, fitted):
    found = compare_priors(alike, ["default", "tau_exponential"], fits=fitted, threshold=0.3)
    plain = found.to_dict()
    json.dumps(plain, allow_nan=False)
    assert [each["method"] for each in plain["sets"]] == ["refit", "reweighted"]
    assert plain["sets"][1]["pareto_k"] < 0.7
    assert {row["parameter"] for row in plain["power_scaling"]} == {"mu", "tau", "sigma"}
    errors = found.rates[[f"mcse_{name}" for name in STATISTICS]]
    assert (errors > 0).all(axis=None)
    exact = compare_priors(alike, ["default", "tau_exponential"], engine="exact")
    score = (found.rates["mean"] - exact.rates["mean"]) / found.rates["mcse_mean"]
    assert score.abs().max() < 4.5
    # The outcome can be integrated: studies are left out exactly, also beside draws.
    columns = ["elpd", "elpd_diff", "elpd_diff_se", "log_marginal_likelihood"]
    pd.testing.assert_frame_equal(found.scores[columns], exact.scores[columns])
    assert found.flips["probability"].tolist() == pytest.approx(
        exact_model(alike).fit(DEFAULT).probability_above("response", 0.3).tolist(), abs=1e-6
    )


@pytest.mark.mcmc
def test_an_outlying_disease_conflicts_with_the_rest_and_borrows_nothing_it_should_not(
    alike, fitted
):
    found = mp.borrowing(alike, fitted)
    table = found.diseases.set_index("disease")
    assert table.loc["d4", "verdict"] == "conflict"
    assert (table.drop("d4")["verdict"] == "ok").all()
    assert table.loc["d4", "direction"] == "more"
    exact = own_shares(exact_model(alike).fit(DEFAULT, verify=False).posteriors["response"])
    assert table["own_share"].tolist() == pytest.approx(exact["own_share"].tolist(), abs=1e-6)
    gone = found.influence[found.influence["kind"] == "disease"].set_index(["disease", "left_out"])
    assert gone.loc[("d4", "d4"), "change"] < -3
    assert (table["borrowed"] < table["patients"]).all()


@pytest.mark.mcmc
def test_the_exact_engine_decides_what_draws_would_leave_open():
    """Serious events in urticaria stay below 10 % with 0.9386 under the sceptical set."""
    evidence = load_evidence(outcomes=("serious_ae",))
    few = {"draws": 150, "tune": 300, "chains": 2}
    found = compare_priors(evidence, ["default", "sceptical"], threshold="usual", **few)
    row = found.flips.set_index("disease").loc["chronic_spontaneous_urticaria"]
    assert row["lowest"] == pytest.approx(0.9386, abs=2e-4)
    assert (row["verdict"], row["changed_by"]) == ("changed", "sceptical")


@pytest.mark.slow
def test_every_set_of_the_catalogue_agrees_with_its_refit_on_the_evidence():
    """Wherever Pareto k allows re-weighting; the reference is the stored fit."""
    evidence = load_evidence()
    stored = fit(evidence)
    light = compare_priors(evidence, fits=stored)
    heavy = compare_priors(evidence, fits=stored, refit=True, draws=1000, tune=1000)
    kept = light.rates["method"] == "reweighted"
    score = (light.rates["mean"] - heavy.rates["mean"]) / np.hypot(
        light.rates["mcse_mean"], heavy.rates["mcse_mean"]
    )
    # About nine hundred dependent standard scores.
    assert score[kept].abs().max() < 4.5
    assert store.any()


def test_a_set_named_twice_in_content_is_told_apart_by_name_only(tmp_path):
    evidence = evidence_of(tmp_path, [("a", "x", 3, 9), ("b", "y", 2, 7)])
    twin = replace(DEFAULT, name="twin")
    found = compare_priors(evidence, ["default", twin], engine="exact")
    rates = found.rates.set_index("set")
    assert rates.loc["twin", "mean"].tolist() == rates.loc["default", "mean"].tolist()


def test_a_comparison_is_kept_and_read_back_whole(exactly, alike, tmp_path):
    config = {"data_sha256": "x", "pooling": "partial", "engine": "exact", "sets": EXACTLY}
    store.save_comparison(exactly, config, tmp_path)
    back = store.read_back_comparison(tmp_path, config)
    assert back is not None
    for name in ("rates", "hyper", "scores", "flips", "flip_map", "power_scaling", "conflicts"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(exactly, name))
    assert back.sets == exactly.sets
    assert back.to_dict() == exactly.to_dict()
    assert store.read_back_comparison(tmp_path, config | {"pooling": "robust"}) is None
    assert [path.name for path in tmp_path.iterdir()] == ["priors.nc"]


def test_what_is_missing_or_damaged_was_not_kept(tmp_path):
    assert store.read_back_comparison(tmp_path, {}) is None
    (tmp_path / store.COMPARISON_FILE).write_bytes(b"half")
    assert store.read_back_comparison(tmp_path, {}) is None


def test_what_is_borrowed_is_kept_under_its_fit_and_the_length_of_its_refits(tmp_path, monkeypatch):
    evidence = evidence_of(tmp_path, [("a", "x", 3, 9), ("b", "y", 2, 7)])
    made_of = {"data_sha256": evidence.sha256, "pooling": "partial", "engine": "nuts", "draws": 9}
    made, asked = xr.DataTree(), {}
    made.attrs["run_config"] = json.dumps(made_of)

    def borrowing(evidence, fit, progress, **given):
        asked.update(given)
        return store.Borrowing(pd.DataFrame({"mean": [0.5]}), pd.DataFrame({"change": [0.1]}))

    monkeypatch.setattr(store, "borrowing", borrowing)
    store.stored_borrowing(evidence, made, Sampling("nuts", 101, 1, 2, 3), tmp_path)
    assert asked == {"draws": 50, "tune": 1, "chains": 2, "seed": 3}
    kept_under = run_config(load_fit(tmp_path / store.BORROWING_FILE))
    assert kept_under == made_of | {f"refit_{name}": value for name, value in asked.items()} | {
        "left_out": "every study and every disease"
    }
    monkeypatch.setattr(store, "borrowing", None)
    assert store.stored_borrowing(evidence, made, Sampling("nuts", 101, 1, 2, 3), tmp_path)


def test_an_identical_comparison_is_not_made_twice(tmp_path, monkeypatch):
    evidence = evidence_of(tmp_path, [("a", "x", 3, 9), ("b", "y", 2, 7)])
    asked = evidence, None, [DEFAULT], "partial", Sampling("exact", 101, 101, 2, 1), tmp_path
    found = store.stored_comparison(*asked, threshold=0.3)
    kept_under = run_config(load_fit(tmp_path / store.COMPARISON_FILE))
    length = {"engine": "exact", "draws": 75, "tune": 50, "chains": 2, "seed": 1}
    question = {"pooling": "partial", "threshold": 0.3, "confidence": 0.95, "refit": False}
    assert kept_under.items() >= (length | question | {"fit": None}).items()
    monkeypatch.setattr(store, "compare_priors", None)
    again = store.stored_comparison(*asked, threshold=0.3)
    assert again.to_dict() == found.to_dict()
    with pytest.raises(TypeError):  # another threshold is another question
        store.stored_comparison(*asked, threshold=0.4)
