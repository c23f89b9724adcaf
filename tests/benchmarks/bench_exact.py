"""How long the exact engine takes: tables, priors, scans, thousands of studies, a process."""

import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from mscpool import load_evidence
from mscpool.models.exact import ExactHierarchy
from mscpool.models.integration.likelihood_table import count_likelihoods
from mscpool.models.priors import Exnex, OutcomePriors, Prior


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


@pytest.mark.parametrize("studies", [100, 1_000, 10_000])
def test_thousands_of_studies(benchmark, studies):
    rng = np.random.default_rng(3)
    levels = rng.normal(-0.3, 0.6, 6)
    disease = rng.integers(0, 6, studies)
    n = rng.integers(10, 80, studies)
    rate = 1 / (1 + np.exp(-levels[disease] - 0.4 * rng.normal(size=studies)))
    events = rng.binomial(n, rate)
    rows = pd.DataFrame(
        {
            "study": [f"s{i}" for i in range(studies)],
            "disease": [f"d{i}" for i in disease],
            "events_min": events,
            "events_max": events,
            "n": n,
        }
    )
    benchmark.pedantic(lambda: ExactHierarchy(count_likelihoods(rows)).posterior(prior()), rounds=1)
    if studies == 10_000:
        assert benchmark.stats["min"] < 20
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1e6


def test_eight_studies_in_a_process_of_their_own(tmp_path, capsys):
    rows = ["study,events,n", *(f"s{i},{i},{10 + i}" for i in range(8))]
    (tmp_path / "table.csv").write_text("\n".join(rows))
    program = (
        "import sys, time; start = time.perf_counter(); import mscpool;"
        "from mscpool.models.exact_outcomes import exact_outcomes;"
        f"evidence = mscpool.load_evidence({str(tmp_path / 'table.csv')!r});"
        "ready = time.perf_counter(); fit = exact_outcomes(evidence); fit.rates(); fit.hyper();"
        "print(ready - start, time.perf_counter() - ready,"
        "'pymc' in sys.modules or 'arviz' in sys.modules or 'matplotlib' in sys.modules)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    whole = time.perf_counter() - start
    imports, computing, heavy = done.stdout.split()
    with capsys.disabled():
        print(f"\nprocess {whole:.2f} s: imports {imports} s, computing {computing} s")
    assert heavy == "False"
    assert float(computing) < 0.5
    assert whole < 3.5
