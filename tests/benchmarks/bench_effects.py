"""How long effects take: thirteen trials, a further prior, a thousand trials, the whole process."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from mscpool import effects, load_evidence
from mscpool.analysis.paper.frames.effects import compared_sets
from mscpool.models.effects.contrast import contrast_likelihoods
from mscpool.models.effects.priors import DEFAULT_EFFECTS
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import OutcomePriors

REFERENCE = Path(__file__).parents[1] / "reference" / "contrasts.json"


def thirteen():
    """Give the BCG trials as the rows of a user's table."""
    rows = []
    for i, counts in enumerate(json.loads(REFERENCE.read_text("utf-8"))["bcg"]["data"]):
        for arm, events, n in (("control", *counts[:2]), ("msc", *counts[2:])):
            rows.append({"study": f"trial {i}", "arm": arm, "events": events, "n": n})
    return pd.DataFrame(rows)


def thousand():
    """Draw a thousand trials of ten diseases."""
    rng, rows = np.random.default_rng(1), []
    for i in range(1000):
        for arm, rate in (("control", 0.3), ("msc", 0.45)):
            n = int(rng.integers(10, 80))
            about = {"study": f"trial {i}", "disease": f"disease {i % 10}", "arm": arm}
            rows.append({**about, "events": int(rng.binomial(n, rate)), "n": n})
    return pd.DataFrame(rows)


def test_thirteen_trials_with_all_tables(benchmark):
    evidence = load_evidence(thirteen())
    effects(evidence, check=False)
    benchmark.pedantic(lambda: effects(evidence, check=False), rounds=5)
    assert benchmark.stats["min"] < 0.5


def test_a_further_prior(benchmark):
    rows = load_evidence(thirteen())
    arms = pd.concat([rows.rows, rows.controls], ignore_index=True)
    hierarchy = ExactHierarchy(contrast_likelihoods(arms), "partial", "response")
    hierarchy.posterior(DEFAULT_EFFECTS.of("response"))
    scales = itertools.cycle(np.linspace(0.3, 0.5, 200))

    def further():
        own = DEFAULT_EFFECTS.of("response")
        sigma = Prior.make("HalfNormal", sigma=next(scales))
        priors = OutcomePriors(own.mu, own.tau, sigma, own.exnex)
        return hierarchy.posterior(priors).rates()

    benchmark.pedantic(further, rounds=50, warmup_rounds=2)
    assert benchmark.stats["min"] < 0.015


def test_a_thousand_trials(benchmark):
    evidence = load_evidence(thousand())
    benchmark.pedantic(lambda: effects(evidence, check=False), rounds=1)
    assert benchmark.stats["min"] < 10


def test_the_section_of_the_report(benchmark):
    evidence = load_evidence()
    compared_sets(evidence, "partial")
    benchmark.pedantic(lambda: compared_sets(evidence, "partial"), rounds=3)
    assert benchmark.stats["min"] < 1


def test_the_whole_process(benchmark, tmp_path):
    script = Path(sys.executable).with_name("mscpool")
    words = [script, "effects", "--out", tmp_path, "--refit", "--json"]
    benchmark.pedantic(
        lambda: subprocess.run(words, check=False, capture_output=True), rounds=3, warmup_rounds=1
    )
    assert benchmark.stats["min"] < 3
