"""How long the exact engine takes: tables, priors, scans, thousands of studies, a process.

And, on one outcome, the sampler and a plain PyMC script.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mscpool import load_evidence
from mscpool.analysis.fitting.fit import sample, terms_of
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods
from mscpool.models.exact.outcomes import exact_outcomes
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, Exnex, OutcomePriors


def improvement():
    evidence = load_evidence()
    rows = evidence.rows[evidence.rows["outcome"] == "improvement"]
    return count_likelihoods(rows, "logit", evidence.diseases)


def prior(mean=0.0, scale=1.0):
    return OutcomePriors(
        Prior.make("Normal", mu=mean, sigma=1.5),
        Prior.make("HalfNormal", sigma=scale),
        Prior.make("HalfNormal", sigma=0.5),
        Exnex(),
    )


@pytest.mark.parametrize("pooling", ["partial", "exnex", "robust"])
def test_build_of_the_core_table(benchmark, pooling):
    likelihoods = improvement()

    def build():
        hierarchy = ExactHierarchy(likelihoods, pooling)
        extent = hierarchy.extent_of(prior())
        return hierarchy.table(extent)

    build()
    benchmark(build)
    if pooling == "partial":
        assert benchmark.stats["min"] < 0.3


def test_a_further_prior(benchmark):
    hierarchy = ExactHierarchy(improvement())
    hierarchy.posterior(prior())
    scales = iter(np.linspace(0.9, 0.4, 100_000))
    benchmark.pedantic(
        lambda: hierarchy.posterior(prior(scale=next(scales))).rates(), rounds=50, warmup_rounds=2
    )
    assert benchmark.stats["min"] < 0.020


def test_a_thousand_prior_sets(benchmark):
    hierarchy = ExactHierarchy(improvement())
    hierarchy.posterior(prior())

    def flip_map():
        return [
            hierarchy.posterior(prior(mean, scale), verify=False).probability_above(0.5)
            for mean in np.linspace(-1.5, 1.5, 25)
            for scale in np.linspace(0.2, 1.0, 40)
        ]

    assert len(benchmark.pedantic(flip_map, rounds=1)) == 1000
    assert benchmark.stats["min"] < 10


THOUSANDS = """
import resource, sys, time
import numpy as np, pandas as pd
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods
from mscpool.models.priors.sets import DEFAULT

studies = int(sys.argv[1])
rng = np.random.default_rng(3)
levels = rng.normal(-0.3, 0.6, 6)
disease = rng.integers(0, 6, studies)
n = rng.integers(10, 80, studies)
rate = 1 / (1 + np.exp(-levels[disease] - 0.4 * rng.normal(size=studies)))
events = rng.binomial(n, rate)
rows = pd.DataFrame({
    "study": [f"s{i}" for i in range(studies)],
    "disease": [f"d{i}" for i in disease],
    "events_min": events, "events_max": events, "n": n,
})
start = time.perf_counter()
found = ExactHierarchy(count_likelihoods(rows)).posterior(DEFAULT.of("improvement"))
assert found.worst_error < 1e-4
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


@pytest.mark.parametrize("studies", [100, 1_000, 10_000])
def test_thousands_of_studies(benchmark, studies):
    # Each in a process of its own, whose memory is its own.
    done = benchmark.pedantic(_python, (THOUSANDS, str(studies)), rounds=1)
    seconds, gigabytes = (float(x) for x in done.stdout.split())
    benchmark.extra_info.update(seconds_computing=seconds, gigabytes=gigabytes)
    if studies == 10_000:
        assert seconds < 20
        assert gigabytes < 1


def _python(program, *arguments):
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True)


FIT = """
import sys, time
from mscpool.analysis.terminal.cli import app
from mscpool.analysis.fitting import store

seconds, writing, save = [], [], store.save


def timed(*what):
    start = time.perf_counter()
    save(*what)
    writing.append(time.perf_counter() - start)


store.save = timed
for _ in range(2):  # first with all imports, then only computing
    start = time.perf_counter()
    try:
        app(sys.argv[1:])
    except SystemExit as done:
        assert done.code == 0
    seconds.append(time.perf_counter() - start)
heavy = {"pymc", "arviz", "matplotlib", "pandera"} & set(sys.modules)
print(seconds[1] - writing[1], writing[1], *heavy, file=sys.stderr)
"""


def test_eight_studies_in_a_process_of_their_own(benchmark, tmp_path, capsys):
    rows = ["study,events,n", *(f"s{i},{i},{10 + i}" for i in range(8))]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(rows))
    request = ["fit", str(table), "--engine", "exact", "--json", "--refit"]
    request += ["--out", str(tmp_path / "fit")]
    command = [str(Path(sys.executable).with_name("mscpool")), *request]
    run = {"capture_output": True, "check": True}
    benchmark.pedantic(subprocess.run, (command,), run, rounds=3, warmup_rounds=1)
    whole = benchmark.stats["min"]
    computing, writing, *heavy = _python(FIT, *request).stderr.splitlines()[-1].split()
    with capsys.disabled():
        imports = whole - float(computing) - float(writing)
        print(f"\nprocess {whole:.2f} s: imports {imports:.2f} s, computing {computing:.4} s,")
        print(f"writing fit.nc {writing:.4} s")
    assert not heavy
    assert whole < 3.5
    assert float(computing) < 0.5


def test_the_sampler_on_the_same_outcome(benchmark):
    evidence = load_evidence(analysis_set="counted", outcomes=("serious_ae",))
    terms = terms_of(evidence)
    sample(terms, "partial", DEFAULT, draws=10, tune=10)
    benchmark.pedantic(sample, (terms, "partial", DEFAULT), {"seed": 1}, rounds=1)


def test_the_exact_engine_on_the_same_outcome(benchmark):
    evidence = load_evidence(analysis_set="counted", outcomes=("serious_ae",))
    benchmark(lambda: exact_outcomes(evidence).rates())


SCRIPT = """
import arviz as az
import numpy as np
import pymc as pm
from mscpool import load_evidence

rows = load_evidence(analysis_set="counted").rows.query("outcome == 'serious_ae'")
study, studies = rows["study"].factorize()
disease = rows.groupby("study", sort=False)["disease"].first().factorize()[0]
with pm.Model():
    mu = pm.Normal("mu", -1.5, 1.5)
    tau = pm.HalfNormal("tau", 1)
    sigma = pm.HalfNormal("sigma", 0.5)
    theta = pm.Deterministic("theta", mu + tau * pm.Normal("z", size=6))
    eta = theta[disease] + sigma * pm.Normal("e", size=len(studies))
    pm.Binomial("y", n=rows["n"], logit_p=eta[study], observed=rows["events_min"])
    draws = pm.sample(progressbar=False)
az.summary(draws)
"""


def test_a_script_as_a_statistician_would_write_it(benchmark):
    benchmark.pedantic(_python, (SCRIPT,), rounds=1)
