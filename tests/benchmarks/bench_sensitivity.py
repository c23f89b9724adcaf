"""How long a comparison of prior sets takes after the first fit, and against twelve cold fits."""

import subprocess
import sys
import time

import pytest

from mscpool.analysis.fitting.fit import fit, terms_of
from mscpool.analysis.fitting.sampling import Sampling
from mscpool.analysis.sensitivity.compare import compare_priors
from mscpool.analysis.sensitivity.reweight import stored_source
from mscpool.analysis.sensitivity.scores import importance_scores, scores_table
from mscpool.analysis.sensitivity.sets import compare_sets, quantities_table
from mscpool.data.evidence import load_evidence
from mscpool.models.priors.catalogue import CATALOGUE
from mscpool.models.priors.sets import DEFAULT

TWELVE = [
    name
    for name in CATALOGUE
    if name not in ("tau_half_normal_1", "turner_marginal", "tau_half_student_t")
]
COLD_FIT = """
import sys
from mscpool.analysis.fitting.fit import fit
from mscpool.data.evidence import load_evidence
from mscpool.models.priors.catalogue import named_set
fit(load_evidence(), priors=named_set(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def evidence():
    return load_evidence()


@pytest.fixture(scope="module")
def stored(evidence):
    return fit(evidence)


def test_twelve_sets_over_six_outcomes(benchmark, evidence, stored, capsys):
    """Against twelve processes that each fit one set of the same model from nothing."""
    assert len(TWELVE) == 12
    benchmark.pedantic(compare_priors, (evidence, TWELVE), {"fits": stored}, rounds=1)
    spent = benchmark.stats["min"]
    cold = []
    for name in TWELVE:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", COLD_FIT, name], check=True, capture_output=True)
        cold.append(time.perf_counter() - started)
    with capsys.disabled():
        print(f"\ntwelve cold fits: {sum(cold):.0f} s, {sum(cold) / spent:.0f} times as long")
    assert spent < 30


def test_a_reweighted_set(benchmark, evidence, stored):
    """Every statistic, error and predictive score of one more set, without its prior's draws."""
    source = stored_source(stored, terms_of(evidence), DEFAULT, "partial")
    compare_sets([source], [DEFAULT], Sampling(seed=1))

    def one_more():
        results = compare_sets([source], [DEFAULT, CATALOGUE["enthusiastic"]], Sampling(seed=1))[1:]
        scores = {
            each.priors.name: {b[0]: importance_scores(w, b) for b, w in each.weights.items()}
            for each in results
        }
        return quantities_table(results), scores_table(scores)

    benchmark.pedantic(one_more, rounds=5, warmup_rounds=1)
    assert benchmark.stats["min"] < 0.3
