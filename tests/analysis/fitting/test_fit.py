"""A whole fit of a small table: what it holds, how it repeats, and what its tables say."""

import hashlib
import json
import os
import subprocess
import sys
import time
from functools import partial

import arviz as az
import numpy as np
import pytest
from scipy import stats

from mscpool.analysis.fitting import sampler
from mscpool.analysis.fitting.fit import diagnostics, fit, hyper, rates, run_config, terms_of
from mscpool.analysis.fitting.sampler import sample
from mscpool.analysis.fitting.tree import rows_of
from mscpool.analysis.guard.check import check
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, PriorSet

from ...builders import evidence_of

TABLE = """study,disease,arm,outcome,events_min,events_max,n,months
a,psoriasis,msc,improvement,8,8,17,6
a,psoriasis,msc,remission,3,3,17,6
b,psoriasis,msc,improvement,2,5,7,12
c,eczema,msc_low,improvement,5,5,14,3
c,eczema,msc_high,improvement,6,6,11,3
c,eczema,msc_high,remission,0,2,11,3
d,eczema,msc,remission,4,4,12,6
e,urticaria,msc,improvement,9,9,10,6
"""
SETTINGS = {"draws": 150, "tune": 300, "chains": 2, "seed": 5}

IN_A_PROCESS = """
import hashlib, json, sys
from mscpool.analysis.fitting.fit import sample, terms_of
from mscpool.data.evidence import load_evidence
from mscpool.models.priors.sets import DEFAULT

terms, settings = terms_of(load_evidence(sys.argv[1])), json.loads(sys.argv[2])
draws, _ = sample(terms, "partial", DEFAULT, **settings)
print(*(hashlib.sha256(values.tobytes()).hexdigest() for values in draws.values()))
"""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return evidence_of(tmp_path_factory.mktemp("table"), TABLE)


@pytest.fixture(scope="module")
def fitted(evidence):
    return fit(evidence, **SETTINGS)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"engine": "nutz"}, "unknown engine 'nutz'; did you mean nuts"),
        ({"pooling": "ful"}, "unknown pooling 'ful'"),
        ({"draws": 0}, "draws must be a whole number from 1 on, not 0"),
        ({"draws": 2.5}, "draws must be a whole number from 1 on, not 2.5"),
        ({"chains": -1}, "chains must be a whole number from 1 on, not -1"),
        ({"seed": -1}, "seed must be a whole number from 0 on, not -1"),
    ],
)
def test_impossible_request_is_answered_in_a_sentence(evidence, wrong, message):
    with pytest.raises(ValueError, match=message):
        fit(evidence, **wrong)


@pytest.mark.mcmc
def test_fit_holds_every_group_with_named_dims(fitted, evidence):
    assert set(fitted.children) == {
        "posterior",
        "sample_stats",
        "prior",
        "log_prior",
        "posterior_predictive",
        "mixed_predictive",
        "log_likelihood",
        "observed_data",
        "constant_data",
        "rates",
        "hyper",
    }
    posterior = fitted["posterior"]
    per_draw = ("chain", "draw")
    assert posterior["rate"].dims == posterior["theta"].dims == (*per_draw, "outcome", "disease")
    assert posterior["new_disease"].dims == posterior["mu"].dims == (*per_draw, "outcome")
    assert posterior["study_rate"].dims == (*per_draw, "effect")
    assert fitted["mixed_predictive"]["events"].dims == (*per_draw, "row")
    assert fitted["log_likelihood"]["unit_events"].dims == (*per_draw, "unit")
    assert fitted["prior"].sizes["chain"] == 1
    assert tuple(posterior["disease"].values) == evidence.diseases
    assert list(fitted["constant_data"]["n"].values) == evidence.rows["n"].tolist()
    label = fitted["constant_data"]["row"].values[0]
    assert label == "improvement/a/msc"
    # Too few effective draws: sampled once more, twice as long.
    assert posterior.sizes["draw"] == 2 * SETTINGS["draws"]
    assert run_config(fitted)["draws"] == SETTINGS["draws"]


@pytest.mark.mcmc
def test_remission_never_exceeds_improvement(fitted):
    for name in ("rate", "new_study", "new_disease"):
        for group in ("posterior", "prior"):
            found = fitted[group][name]
            assert (found.sel(outcome="remission") <= found.sel(outcome="improvement")).all()


@pytest.mark.mcmc
def test_replicates_stay_possible(fitted):
    for group in ("posterior_predictive", "mixed_predictive"):
        events = fitted[group]["events"]
        assert (events >= 0).all()
        assert (events <= fitted["constant_data"]["n"]).all()
    imputed = fitted["posterior_predictive"]["events_within_bounds"]
    assert (imputed >= fitted["constant_data"]["events_min"]).all()
    assert (imputed <= fitted["constant_data"]["events_max"]).all()


@pytest.mark.mcmc
def test_tables_say_what_arviz_says(fitted):
    posterior = fitted["posterior"].to_dataset()
    for table, names, key in (
        (rates(fitted), ["rate", "new_study", "new_disease"], "quantity"),
        (hyper(fitted), ["mu", "tau", "sigma"], "parameter"),
    ):
        theirs = az.summary(
            posterior[names], ci_prob=0.95, ci_kind="eti", round_to="none", kind="all"
        )
        for row in table.itertuples(index=False):
            record = row._asdict()
            where = [record["outcome"]]
            if record.get("disease"):
                where.append(record["disease"])
            line = theirs.loc[f"{record[key]}[{', '.join(where)}]"]
            ours = [record[c] for c in ("mean", "sd", "mcse_mean", "mcse_sd", "r_hat", "ess_bulk")]
            wanted = line[["mean", "sd", "mcse_mean", "mcse_sd", "r_hat", "ess_bulk"]]
            np.testing.assert_allclose(ours, wanted.to_numpy(float), rtol=1e-6)
        draws = posterior[names[0]].isel(outcome=0).stack(all=("chain", "draw"))
        first = draws.isel(disease=0) if "disease" in draws.dims else draws
        np.testing.assert_allclose(
            np.asarray(table.loc[0, ["q2.5", "q50", "q97.5"]], float),
            np.quantile(first, [0.025, 0.5, 0.975]),
        )


@pytest.mark.mcmc
def test_tables_count_what_stands_behind_each_rate(fitted):
    table = rates(fitted)
    one = table[(table["outcome"] == "remission") & (table["quantity"] == "rate")]
    behind = one.set_index("disease")[["studies", "patients", "evidence"]].to_dict("index")
    assert behind["psoriasis"] == {"studies": 1, "patients": 17, "evidence": "direct"}
    assert behind["eczema"] == {"studies": 2, "patients": 23, "evidence": "direct"}
    assert behind["urticaria"] == {"studies": 0, "patients": 0, "evidence": "borrowed"}
    tried = table[table["quantity"] == "new_disease"]
    assert tried["disease"].isna().all()
    assert tried["studies"].isna().all()
    found = diagnostics(fitted)
    assert found["max_r_hat"] == pytest.approx(
        max(table["r_hat"].max(), hyper(fitted)["r_hat"].max())
    )


@pytest.mark.mcmc
def test_same_seed_repeats_to_the_bit_also_when_compiled_afresh(evidence):
    terms = terms_of(evidence)
    tighter = PriorSet("tighter", sigma=Prior.make("Exponential", lam=3))
    first, _ = sample(terms, "partial", tighter, **SETTINGS)
    sample(terms, "partial", DEFAULT, **{**SETTINGS, "seed": 6})
    refitted, _ = sample(terms, "partial", tighter, **SETTINGS)
    sampler._compiled.cache_clear()
    fresh, _ = sample(terms, "partial", tighter, **SETTINGS)
    other, _ = sample(terms, "partial", tighter, **{**SETTINGS, "seed": 6})
    for name, values in first.items():
        np.testing.assert_array_equal(values, refitted[name])
        np.testing.assert_array_equal(values, fresh[name])
    assert not np.array_equal(first["mu"], other["mu"])


@pytest.fixture
def elsewhere(evidence, tmp_path):
    """What samples in a process with empty caches of its own, and the draws it must give."""
    here, _ = sample(terms_of(evidence), "partial", DEFAULT, **SETTINGS)
    wanted = [hashlib.sha256(values.tobytes()).hexdigest() for values in here.values()]
    (tmp_path / "counts.csv").write_text(TABLE)
    program = [sys.executable, "-c", IN_A_PROCESS, tmp_path / "counts.csv", json.dumps(SETTINGS)]
    caches = {
        "PYTENSOR_FLAGS": f"base_compiledir={tmp_path}",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "MSCPOOL_CACHE": str(tmp_path),
    }
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return partial(subprocess.Popen, program, env=os.environ | caches, **pipes), wanted


@pytest.mark.slow
def test_same_seed_repeats_to_the_bit_with_every_cache_of_compilers_cold(elsewhere):
    start, wanted = elsewhere
    for _ in ("cold", "warm"):
        answer, complaint = start().communicate()
        assert answer.split() == wanted, complaint


@pytest.mark.slow
def test_first_runs_that_are_killed_or_at_once_leave_working_caches(elsewhere, tmp_path):
    start, wanted = elsewhere
    killed = start()
    # Killed as soon as the first of two callbacks is kept, or, should that be missed, later.
    while killed.poll() is None and not list((tmp_path / "compiled").glob("*.code")):
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    for each in [start(), start()]:
        answer, complaint = each.communicate()
        assert answer.split() == wanted, complaint
        assert not complaint
    codes = {path: path.stat().st_ino for path in (tmp_path / "compiled").glob("*.code")}
    answer, _ = start().communicate()
    assert answer.split() == wanted
    assert len(codes) == 2
    # Nothing was compiled again: the files are those that were there.
    assert codes == {path: path.stat().st_ino for path in (tmp_path / "compiled").glob("*.code")}


#: ArviZ tells of few draws and of counts drawn as densities, and divides by ties of none.
MANY_WARNINGS = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
TOP = ["mu", "tau", "sigma"]
#: What ArviZ does with a tree as it stands, drawing nothing; variables are named where it must be.
ARVIZ = {
    "plot_ppc_dist": lambda fit: az.plot_ppc_dist(fit, backend="none"),
    "plot_ppc_pit": lambda fit: az.plot_ppc_pit(fit, backend="none"),
    "plot_ppc_interval": lambda fit: az.plot_ppc_interval(fit, backend="none"),
    "plot_ppc_rootogram": lambda fit: az.plot_ppc_rootogram(fit, backend="none"),
    "plot_ppc_tstat": lambda fit: az.plot_ppc_tstat(fit, backend="none"),
    "plot_forest": lambda fit: az.plot_forest(fit, backend="none"),
    "plot_trace_dist": lambda fit: az.plot_trace_dist(fit, backend="none"),
    "plot_prior_posterior": lambda fit: az.plot_prior_posterior(fit, backend="none"),
    "summary": az.summary,
    "loo": az.loo,
    "plot_khat": lambda fit: az.plot_khat(az.loo(fit, pointwise=True), backend="none"),
    # Of units, as no single row is left out: see its log likelihood.
    "plot_loo_pit": lambda fit: az.plot_loo_pit(fit, var_names="unit_events", backend="none"),
    "psense_summary": az.psense_summary,
    "plot_psense_dist": lambda fit: az.plot_psense_dist(
        fit, var_names=["mu"], prior_var_names=TOP, backend="none"
    ),
}


@pytest.fixture(scope="module")
def integrated(evidence):
    alone = evidence.select(drop=("d",), outcomes="improvement")
    return fit(alone, engine="exact", draws=100, chains=2)


@pytest.mark.mcmc
@MANY_WARNINGS
@pytest.mark.parametrize("name", ARVIZ)
def test_arviz_works_on_a_sampled_fit(fitted, name):
    assert ARVIZ[name](fitted) is not None


@MANY_WARNINGS
@pytest.mark.parametrize("name", ARVIZ)
def test_arviz_works_on_an_integrated_fit(integrated, name):
    assert ARVIZ[name](integrated) is not None


def test_leaving_out_by_arviz_is_leaving_out_by_integration(tmp_path):
    rows = [f"s{i},{'de'[i % 2]},{8 + i % 5},20" for i in range(12)]
    alike = evidence_of(tmp_path, "\n".join(["study,disease,events,n", *rows]))
    made = fit(alike, engine="exact", draws=5000, chains=2)
    scores = az.loo(made, pointwise=True)
    exact = {one["study"]: one["elpd"] for one in check(made).loo}
    for unit, score, k in zip(
        made["log_likelihood"]["unit"].values, scores.elpd_i.values, scores.pareto_k.values,
        strict=True,
    ):  # fmt: skip
        assert k < 0.7
        # Ten thousand independent draws: up to this k an error of some hundredths at most.
        assert score == pytest.approx(exact[unit.removeprefix("response/")], abs=0.05)


@pytest.mark.mcmc
def test_what_is_observed_and_what_is_predicted_have_one_name(fitted):
    observed, predicted = fitted["observed_data"], fitted["posterior_predictive"]
    assert set(observed.data_vars) <= set(predicted.data_vars)
    for name in observed.data_vars:
        assert predicted[name].dims[2:] == observed[name].dims
    assert list(observed["events"].values) == [8, 3, 3, 5, 6, 1, 4, 9]
    by_unit = dict(zip(observed["unit"].values, observed["unit_events"].values, strict=True))
    # Dose arms add up, a child within its parent does not, a child by itself counts.
    assert by_unit == {
        "improvement/a": 8, "improvement/b": 3, "improvement/c": 11, "improvement/d": 4,
        "improvement/e": 9,
    }  # fmt: skip


@pytest.mark.mcmc
def test_log_priors_are_those_of_the_set(fitted):
    posterior, logs = fitted["posterior"], fitted["log_prior"]
    for name, prior in (("mu", stats.norm(0, 1.5)), ("tau", stats.halfnorm(0, 1))):
        np.testing.assert_allclose(logs[name], prior.logpdf(posterior[name]), rtol=1e-12)


@pytest.mark.mcmc
def test_a_fit_keeps_its_rows(fitted, evidence):
    kept = rows_of(fitted)
    assert kept.to_dict("list") == evidence.rows[kept.columns].to_dict("list")
