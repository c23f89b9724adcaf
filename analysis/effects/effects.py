"""Effects of treatment: computed, kept and read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from threadpoolctl import threadpool_limits

from ...data.controlled import Controlled, controlled_rows
from ...data.errors import InputError, SelectionError
from ...data.evidence import Evidence, as_evidence
from ...data.moderators import Moderator, read_moderators
from ...data.names import study_labels
from ...data.selection import as_names
from ...models.effects.priors import DEFAULT_EFFECTS, EffectPriors, effect_priors
from ..fitting import store
from ..fitting.exact_fit import density_group
from ..fitting.moderated import moderators_of
from ..fitting.progress import Progress
from ..fitting.sampling import SEED, Engine, Sampling
from ..fitting.summary import to_dataset
from ..guard.result import UNCHECKED, CheckResult
from . import tables
from .answer import Effects, checked
from .guard import check_effects
from .left_out import refitter
from .messages import messages_of
from .model import EffectsFit, IntegratedEffects, arm_rates, fit_effects
from .results import file_of
from .sampled import sample_effects
from .stored import storable

if TYPE_CHECKING:
    from xarray import DataTree

    from ...models.exact.posterior import ExactPosterior


def effects(
    evidence: Evidence | str | Path | pd.DataFrame,
    pooling: str = "partial",
    priors: EffectPriors | str | Path = DEFAULT_EFFECTS,
    randomised: bool = False,
    control_rate: float | None = None,
    unanchored: bool = False,
    shares: bool = False,
    check: bool = True,
    engine: Engine | str = "exact",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
    moderators: Sequence[str] | str = (),
    at: Sequence[str] | Mapping[str, Any] | str = (),
    path: str | Path | None = None,
    refit: bool = False,
    progress: Progress | None = None,
) -> DataTree:
    """Compare treated with control arms: whether treatment works, and how sure that is.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame
        The analysis set; a path or a table is read as `load_evidence` does. Its studies
        with a control arm are compared, each outcome for itself. One that was selected with
        ``means`` lets in studies that report means of both arms.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : EffectPriors, str or Path
        Priors of mu, tau and sigma of log odds ratios (deaths: log hazard ratios) and of baselines:
        a set, its name, a prior file or the text of one.
    randomised : bool
        Only randomised studies.
    control_rate : float, optional
        What effects mean for patients is told at this rate of control patients (a 12-month risk of
        death); left out, at that of the next control arm of each disease.
    unanchored : bool
        Also compare arms of different studies, in diseases without a controlled one.
    shares : bool
        Also tell how much of each disease's effect its own studies carry.
    check : bool
        Let the guard judge them; what it finds is kept with them.
    engine : {"exact", "nuts"}
        Integrate the effects, or sample them. The guard's predictions, and rates of control arms,
        are integrated either way.
    draws, tune, chains : int
        Of the sampler: draws kept of each chain, tuning steps of each chain, and chains.
    seed : int
        Makes a run repeatable: the sampler, and the counts that the guard replicates.
    moderators : sequence of str
        Columns that may explain why studies differ, a text's perhaps with its reference
        (``COLUMN=LEVEL``); the effects are then sampled.
    at : sequence of str or mapping
        Values of moderators to report at (``COLUMN=VALUE``).
    path : str or Path, optional
        Where the result is kept, a file or a folder for ``effects.nc``; what answers the same
        request there is read back.
    refit : bool
        Fit even where the same request is stored.
    progress : callable, optional
        Called with the stage of the sampler, what is done and what is to be done.

    Returns
    -------
    xarray.DataTree
        Tables ``effects``, ``hyper``, ``studies``, ``absolute``, ``randomised_only`` (effects
        without the studies that are not known to be randomised, where there are such), ``shares``
        and ``unanchored``; ``densities`` of the effects. Read them with `contrasts`,
        `study_effects`, `absolute_effects`, `own_shares` and `unanchored_effects`.

    Raises
    ------
    InputError
        No study has a control arm (or none that is randomised), a control rate that is not between
        0 and 1, an unknown pooling, or a damaged file at ``path`` (unless ``refit``).

    References
    ----------
    Dias and others 2013, doi 10.1177/0272989X12458724.

    Examples
    --------
    >>> mp.effects(evidence, pooling="complete").checked.verdict
    'warn'
    """
    if control_rate is not None and not 0 < control_rate < 1:
        raise InputError(f"the control rate must lie between 0 and 1, not {control_rate:g}")
    sampling = Sampling(engine, draws, tune, chains, seed)
    evidence, priors = as_evidence(evidence), effect_priors(priors)
    compared = controlled_rows(evidence)
    if randomised:
        compared = compared.randomised()
        if compared.rows.empty:
            raise SelectionError(
                "no controlled study is known to be randomised: leave out --randomised, or give "
                "designs in studies.csv"
            )
    explaining = read_moderators(
        evidence.columns, as_names(moderators), as_names(at), compared.rows
    )
    settings: dict[str, Any] = {}
    if explaining:
        sampling = replace(sampling, engine="nuts")
        settings["moderators"] = [asdict(each) for each in explaining]
    config = _request(
        evidence, compared, pooling, priors, randomised=randomised, control_rate=control_rate,
        unanchored=unanchored, shares=shares, checked=check, **_settings(sampling), **settings,
    )  # fmt: skip
    file = None if path is None else file_of(path)
    made = None if file is None or refit else store.read_back(config, file)
    if made is None:
        with_controls = control_rate is None or unanchored
        exact, controls = _integrated(compared, evidence.diseases, pooling, priors, with_controls)
        fit, sampled = exact, None
        if sampling.engine == "nuts":
            sampled = sample_effects(
                exact.rows, exact.diseases, pooling, priors, sampling, progress, explaining
            )
            fit = EffectsFit(
                exact.rows, exact.diseases, pooling, priors,
                {**exact.posteriors, **sampled.posteriors},
            )  # fmt: skip
        made = _tree(evidence, compared, fit, exact, controls, control_rate, unanchored, explaining)
        if sampled is not None and sampled.coefficients is not None and sampled.at is not None:
            made["at_values"] = to_dataset(sampled.at)
            spread = tables.spread_taken(exact, fit)
            made["moderators"] = to_dataset(sampled.coefficients)
            made["heterogeneity"] = to_dataset(spread)
        made.attrs["run_config"] = store.canonical(config)
        if sampled is not None:
            made.attrs["draws"] = sampled.diagnostics["draws"] // sampling.chains
        without = refitter(exact, sampling, explaining)
        found = UNCHECKED
        if check:
            labels = study_labels(evidence.studies)
            found = check_effects(exact, _run(config), seed, sampled, without, labels)
        made.attrs["check"] = json.dumps(found.to_dict())
        if shares:
            made["shares"] = to_dataset(tables.shares_table(exact))
        if file is not None:
            store.save(made, file)
    return Effects.of(made)


def _settings(sampling: Sampling) -> dict[str, Any]:
    """Give what the effects follow from of how they are made."""
    if sampling.engine == "nuts":
        return asdict(sampling)
    return {"engine": sampling.engine, "seed": sampling.seed}


def _request(
    evidence: Evidence, compared: Controlled, pooling: str, priors: EffectPriors, **settings: Any
) -> dict[str, Any]:
    """Describe everything that effects follow from, in plain values."""
    config = store.request(evidence, pooling, priors.priors, **settings)
    arms = compared.rows.to_json(orient="split", double_precision=15)
    return {
        **config,
        "outcomes": list(compared.outcome_names),
        "priors": priors.to_dict(),
        "compared_sha256": hashlib.sha256(arms.encode()).hexdigest(),
    }


def _integrated(
    compared: Controlled,
    diseases: Sequence[str],
    pooling: str,
    priors: EffectPriors,
    with_controls: bool,
) -> tuple[IntegratedEffects, dict[str, ExactPosterior]]:
    """Integrate effects and, beside them, what control arms say of their rates.

    Neither knows of the other: each takes one core, which serves them better than matrix products
    that wait for a second one.
    """
    rows = compared.rows
    arms = rows[rows["arm"] == "control"] if with_controls else rows[:0]
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(1) as beside:
        controls = beside.submit(arm_rates, arms, compared.outcome_names, diseases, pooling)
        return fit_effects(rows, diseases, pooling, priors), controls.result()


def _tree(
    evidence: Evidence,
    compared: Controlled,
    fit: EffectsFit,
    exact: IntegratedEffects,
    controls: dict[str, ExactPosterior],
    control_rate: float | None,
    unanchored: bool,
    explaining: Sequence[Moderator],
) -> DataTree:
    """Gather the tables of a fit, and of what is integrated either way."""
    import xarray as xr

    rows, diseases, pooling = compared.rows, evidence.diseases, fit.pooling
    found = {
        "effects": tables.effects_table(fit),
        "hyper": tables.hyper_table(fit),
        "studies": tables.studies_table(fit),
        "absolute": tables.absolute_table(fit, controls, control_rate),
        "compared": rows.infer_objects(),
    }
    anew = compared.randomised()
    if 0 < len(anew.rows) < len(rows) and not explaining:
        found["randomised_only"] = tables.effects_table(
            fit_effects(anew.rows, diseases, pooling, fit.priors)
        )
    if unanchored:
        treated = arm_rates(evidence.rows, compared.outcome_names, diseases, pooling)
        found["unanchored"] = tables.unanchored_table(fit, treated, controls)
    groups = {name: to_dataset(storable(table)) for name, table in found.items()}
    keys = found["effects"][["outcome", "quantity", "disease"]].to_numpy(object).tolist()
    groups["densities"] = density_group([fit.distribution(*key) for key in keys])
    tree = xr.DataTree.from_dict(groups)
    tree["hyper"].attrs["numerical_error"] = exact.worst_error
    told = messages_of(
        evidence, compared, fit, found["absolute"], explaining, "randomised_only" in found
    )
    tree.attrs["messages"] = json.dumps(told)
    return tree


def _run(config: Mapping[str, Any]) -> dict[str, Any]:
    named = {key: config[key] for key in ("data_sha256", "pooling", "engine", "seed", "versions")}
    return named | {"priors": config["priors"]["name"]}


def check_again(made: DataTree, evidence: Evidence) -> CheckResult:
    """Let the guard check stored effects, whether it has seen them or not.

    Parameters
    ----------
    made : xarray.DataTree
        Of `effects`.
    evidence : Evidence
        What they are of.

    Returns
    -------
    CheckResult
        What the guard says; the same where it has checked them already.
    """
    config = store.run_config(made)
    fields = ("engine", "draws", "tune", "chains", "seed")
    explaining = moderators_of(made)
    again = effects(
        evidence,
        config["pooling"],
        EffectPriors.from_dict(config["priors"]),
        randomised=config["randomised"],
        control_rate=config["control_rate"],
        moderators=[each.asked for each in explaining],
        at=[f"{each.name}={each.at}" for each in explaining],
        **{name: config[name] for name in fields if name in config},
    )
    return checked(again)
