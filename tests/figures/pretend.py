"""Evidence of any size and fits that nobody sampled: figures care for shapes, not for truth."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import xarray as xr

from mscpool.analysis.fitting.summary import HYPER_COLUMNS, RATE_COLUMNS, to_dataset
from mscpool.analysis.guard.result import CheckResult
from mscpool.analysis.guard.surprise import LEFT_OUT
from mscpool.data.evidence import load_evidence
from mscpool.data.outcomes import OUTCOMES, PARENTS
from mscpool.models.priors.sets import DEFAULT
from mscpool.models.terms import modelled_outcomes

LONG_NAME = "chronic_inducible_cholinergic_urticaria_with_angioedema"
DRAWS = 400


def pretend_fit(evidence, seed=1):
    """Give a tree with the groups of a fit, drawn from nothing but a random generator."""
    rng = np.random.default_rng(seed)
    outcomes, diseases = list(evidence.outcome_names), list(evidence.diseases)
    rows = evidence.rows
    effects = rows.drop_duplicates(["outcome", "study"])
    groups = {}
    for group in ("posterior", "prior"):
        groups[group] = _draws(rng, outcomes, diseases, effects, DRAWS)
    for name in [each for each in ("mu", "tau", "sigma") if each in groups["prior"]]:
        drawn = [getattr(DEFAULT.of(o), name).draw(rng, (4, DRAWS // 4)) for o in outcomes]
        groups["prior"][name] = (("chain", "draw", "outcome"), np.stack(drawn, axis=-1))
    labels = (rows["outcome"] + "/" + rows["study"] + "/" + rows["arm"]).to_numpy(object)
    n = rows["n"].to_numpy()
    events = rng.binomial(n, rng.beta(2, 3, (4, DRAWS // 4, len(rows))))
    groups["mixed_predictive"] = xr.Dataset(
        {"events": (("chain", "draw", "row"), events)}, {"row": labels}
    )
    names = ("study", "disease", "arm", "outcome")
    given = {name: ("row", rows[name].to_numpy(object)) for name in names}
    numbers = ("events_min", "events_max", "n", "months")
    given |= {name: ("row", rows[name].to_numpy()) for name in numbers}
    for part in ("outcome", "disease", "study"):
        given[f"effect_{part}"] = ("effect", effects[part].to_numpy(object))
    named = {"row": labels, "effect": groups["posterior"]["effect"].to_numpy()}
    groups["constant_data"] = xr.Dataset(given, named)
    groups |= _tables(outcomes, diseases)
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["run_config"] = json.dumps(
        {
            "data_sha256": evidence.sha256,
            "pooling": "partial",
            "engine": "nuts",
            "chains": 4,
            "draws": DRAWS // 4,
            "tune": 100,
            "seed": seed,
            "priors": DEFAULT.to_dict(),
            "outcomes": outcomes,
            "diseases": diseases,
            "model": [asdict(each) for each in modelled_outcomes(rows, tuple(outcomes))],
            "versions": {"mscpool": "0", "pymc": "0", "nutpie": "0", "arviz": "0"},
        }
    )
    return tree


def _draws(rng, outcomes, diseases, effects, draws):
    shape = (4, draws // 4)
    rate = rng.beta(2, 3, (*shape, len(outcomes), len(diseases)))
    new_disease = rng.beta(2, 3, (*shape, len(outcomes)))
    for i, name in enumerate(outcomes):
        if PARENTS.get(name) in outcomes:
            rate[..., i, :] *= rate[..., outcomes.index(PARENTS[name]), :]
    variables = {
        "mu": (("outcome",), rng.normal(size=(*shape, len(outcomes)))),
        "tau": (("outcome",), np.abs(rng.normal(size=(*shape, len(outcomes))))),
        "sigma": (("outcome",), np.abs(rng.normal(size=(*shape, len(outcomes))))),
        "theta": (("outcome", "disease"), np.log(rate / (1 - rate))),
        "rate": (("outcome", "disease"), rate),
        "new_study": (("outcome", "disease"), np.clip(rate + 0.05, 0, 1)),
        "new_disease": (("outcome",), new_disease),
        "study_rate": (("effect",), rng.beta(2, 3, (*shape, len(effects)))),
    }
    coords = {
        "outcome": outcomes,
        "disease": diseases,
        "effect": (effects["outcome"] + "/" + effects["study"]).to_numpy(object),
    }
    data = {name: (("chain", "draw", *dims), values) for name, (dims, values) in variables.items()}
    if len(diseases) == 1:
        del data["tau"], data["new_disease"]
    return xr.Dataset(data, coords)


def _tables(outcomes, diseases):
    rate = pd.DataFrame(
        [{"outcome": o, "disease": d, "quantity": "rate"} for o in outcomes for d in diseases]
    )
    parameters = ("mu", "tau", "sigma") if len(diseases) > 1 else ("mu", "sigma")
    hyper = pd.DataFrame(
        [{"outcome": o, "parameter": name, "q50": 0.5} for o in outcomes for name in parameters]
    )
    untried = [
        {"outcome": o, "quantity": "new_disease", "q50": 0.4} for o in outcomes if len(diseases) > 1
    ]
    rate = pd.concat([rate, pd.DataFrame(untried)], ignore_index=True)
    filled = {}
    for name, frame, columns in (("rates", rate, RATE_COLUMNS), ("hyper", hyper, HYPER_COLUMNS)):
        frame = frame.reindex(columns=list(columns))
        texts = ("outcome", "disease", "quantity", "parameter", "evidence")
        numbers = [column for column in columns if column not in texts]
        filled[name] = to_dataset(frame.assign(**{c: frame[c].astype(float) for c in numbers}))
    worst = {"max_r_hat": 1.002, "min_ess_bulk": 812.0, "min_ess_tail": 745.0, "divergences": 0}
    filled["hyper"].attrs.update(worst | {"e_bfmi": 0.93, "numerical_error": np.nan})
    return filled


def pretend_check(evidence, verdict="pass", seed=2):
    """Give what a guard might say of a fit."""
    rng = np.random.default_rng(seed)
    names = (
        "total events",
        "share of arms without events",
        "share of arms with events in all",
        LEFT_OUT,
    )
    outcomes = [
        {
            "outcome": name,
            "verdict": verdict,
            "reason": "The data look like what the model predicts.",
            "checks": [
                {
                    "check": check,
                    "observed": 1.0,
                    "predicted": 2.0,
                    "mid_p": float(rng.uniform()),
                    "verdict": verdict,
                }
                for check in names
            ],
        }
        for name in evidence.outcome_names
    ]
    units = evidence.rows.drop_duplicates(["outcome", "study"])
    loo = [
        {
            "study": row.study,
            "outcome": row.outcome,
            "elpd": -1.0,
            "pareto_k": 0.2,
            "pit": float(rng.uniform()),
            "mid_p": 0.5,
            "mid_p_mcse": 0.0,
        }
        for row in units.itertuples()
    ]
    sampling = {"verdict": "pass", "reason": "", "max_r_hat": 1.0, "min_ess_bulk": 900.0}
    sampling |= {"min_ess_tail": 800.0, "divergences": 0, "e_bfmi": 0.9}
    return CheckResult.from_dict(
        {
            "verdict": verdict,
            "outcomes": outcomes,
            "sampling": sampling,
            "loo": loo,
            "review": [],
            "run": {},
        }
    )


def evidence_of_size(folder, diseases, studies, seed=3):
    """Write and read a table of so many diseases and studies, some counts only bounded."""
    rng = np.random.default_rng(seed)
    names = [LONG_NAME, "psoriasis", *(f"rare_skin_disease_number_{i}" for i in range(3, 21))]
    lines = ["study,disease,outcome,events_min,events_max,n,months"]
    for i in range(studies):
        n = int(rng.integers(3, 300))
        study, disease = f"Wijngaarden-Oosterhuis {2000 + i}", names[i % diseases]
        any_event = int(rng.integers(1, n + 1))
        bounds = {
            "improvement": (n // 2, n // 2 + (i % 3 == 0)),
            "remission": (0, n // 3),
            "any_ae": (any_event // 2, any_event),
            "moderate_severe_ae": (0, 0),
            "serious_ae": (0, 0),
            "death": (0, 0),
        }
        kept = OUTCOMES if i % 2 else OUTCOMES[::2]
        for outcome in kept:
            low, high = bounds[outcome]
            lines.append(f"{study},{disease},{outcome},{low},{high},{n},6")
    path = folder / f"{diseases}x{studies}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_evidence(path)
