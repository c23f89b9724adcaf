"""The Bayesian reporting checklist, filled from the run, with sentences for methods and results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....data.names import level_scale, numbered, outcome_words, spaced
from ....data.outcomes import PARENTS
from ....models.pooling import ALONE, POOLINGS
from ....models.priors.sets import PriorSet
from ...fitting.diagnostics import LARGEST_PARETO_K, diagnostics
from ...guard.result import CheckResult
from ..frames.rates import rates_data
from ..frames.results import Results
from ..words.closing import lowered, verdict_words
from ..words.moderators import at_words, moderator_in_text
from ..words.wording import interval, listed, number, percent, signed

if TYPE_CHECKING:
    from xarray import DataTree

    from ....data.evidence import Evidence
    from ...sensitivity.result import PriorComparison

_PACKAGES = {"pymc": "PyMC", "nutpie": "nutpie", "arviz": "ArviZ"}


def checklist(results: Results) -> str:
    """Fill the checklist.

    Parameters
    ----------
    results : Results
        A fit with all that was found of it.

    Returns
    -------
    str
        Markdown: a table of items, done or open, and paragraphs for methods and results.

    References
    ----------
    The items are those of Kruschke, Bayesian analysis reporting guidelines, 2021, doi
    10.1038/s41562-021-01177-7, and of Sung and others (ROBUST), 2005, doi
    10.1016/j.jclinepi.2004.08.010.
    """
    fit, evidence, checked, config = results.fit, results.evidence, results.checked, results.run
    items = [
        ("Question and data", _data(results)),
        ("Model and likelihood", _model(results)),
        ("Priors and their justification", _priors(results)),
        ("Prior predictive", _prior_predictive(fit)),
        ("Computation", _computation(config)),
        ("Convergence", _convergence(fit, config)),
        ("Posterior predictive checks", _checks(checked)),
        ("Studies left out", _left_out(checked)),
        ("Sensitivity to the prior", _sensitivity(results.comparison)),
        ("Estimates with intervals", "Posterior medians with central 95 % intervals, predictions."),
        ("Decision rule", _decisions(results.comparison)),
        ("Software, seed and reproduction", _software(config)),
        ("Data and code available", _availability(evidence)),
    ]
    lines = ["# Bayesian reporting checklist", "", "| Item | Done | Reported |", "|---|---|---|"]
    lines += [
        f"| {name} | {'no' if said.startswith('Not ') else 'yes'} | {_cell(said)} |"
        for name, said in items
    ]
    lines += ["", "## Methods", "", _methods(items), "", "## Results", ""]
    return "\n".join([*lines, _results(results), ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _data(results: Results) -> str:
    rows, evidence = results.modelled, results.evidence
    bounded = int((rows["events_min"] < rows["events_max"]).sum())
    known = f"; {numbered(bounded, 'count')} known only within bounds" if bounded else ""
    chosen = evidence.selection
    return (
        f"We analysed {numbered(len(rows), 'count')} from "
        f"{numbered(rows['study'].nunique(), 'study', 'studies')} in "
        f"{numbered(len(evidence.diseases), 'disease')} (analysis set "
        f"{chosen.analysis_set}, {chosen.definitions} definitions{known}; data hash "
        f"{results.run['data_sha256'][:12]})."
    )


def _model(results: Results) -> str:
    config, names = results.run, results.fitted
    nested = [
        f"{lowered(child)} within {lowered(parent)}"
        for child, parent in PARENTS.items()
        if child in names and parent in names
    ]
    parts = [
        f"Counts are binomial given the rate of their study; {listed([lowered(n) for n in names])} "
        f"{'were' if names[1:] else 'was'} modelled on the {level_scale(names, ' scale')}",
    ]
    parts.append("Study levels are normal around the level of their disease")
    parts.append(POOLINGS[config["pooling"]].sentence if config["diseases"][1:] else ALONE)
    if nested:
        within = listed(nested)
        parts.append(
            f"Nested outcomes ({within}) have a conditional rate, so that no part exceeds its whole"
        )
    if results.evidence.moderators:
        named = listed([moderator_in_text(each.name) for each in results.evidence.moderators])
        parts.append(
            f"Study levels are linear in {named} (numbers in standard deviations over the studies "
            f"of an outcome). {at_words(results.at)[:-1]}"
        )
    if (results.modelled["events_min"] < results.modelled["events_max"]).any():
        parts.append("Counts known within bounds enter by the probability of lying within them")
    return ". ".join(part[:1].upper() + part[1:] for part in parts) + "."


def _priors(results: Results) -> str:
    config = results.config
    priors = PriorSet.from_dict(config["priors"])
    used = _parameters(config)
    common = [f"{name} ~ {p}" for name in used if (p := getattr(priors, name)) is not None]
    special = [
        f"{lowered(outcome)}: {name} ~ {prior}"
        for outcome in results.fitted
        for name, prior in priors.special(outcome).items()
        if name in used
    ]
    if results.at:
        common.append(f"coefficients of moderators ~ {priors.of('').moderator}")
    named = _named(priors.name)
    apart = f"; {'; '.join(special)}" if special else ""
    said = f"Prior set {spaced(priors.name)}: {', '.join(common)}{apart}."
    if named is None:
        return f"{said} It is the user's own: add its justification."
    source = f"{named.reference}{f'; doi {named.doi}' if named.doi else ''}"
    return f"{said} {named.sentence.rstrip('.')}{f' ({source})' if source else ''}."


def _parameters(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the parameters that a model has: no spread between diseases where none is shared."""
    spread = config["pooling"] not in ("complete", "none") and len(config["diseases"]) > 1
    return ("mu", "tau", "sigma") if spread else ("mu", "sigma")


def _prior_predictive(fit: DataTree) -> str:
    if "prior" in fit.children:
        return "What the priors imply is drawn beside the posterior."
    return "Not done: this engine draws nothing from the prior."


def _decisions(comparison: PriorComparison | None) -> str:
    if comparison is None or comparison.flips.empty:
        return "None is applied: rates are estimated, no hypothesis is tested."
    asked = comparison.flips.drop_duplicates("outcome").to_dict("records")
    rules = [
        f"{lowered(row['outcome'])} {row['direction']} {percent(row['threshold'], 0)} with "
        f"probability {row['confidence']:g}"
        for row in asked
    ]
    return (
        "None is applied to the rates; for sensitivity, it was asked under which priors these "
        f"conclusions would change: {listed(rules)}."
    )


def _availability(evidence: Evidence) -> str:
    from ....data.errors import SelectionError
    from ....data.evidence import load_evidence

    chosen = vars(evidence.selection)
    try:
        shipped = load_evidence(**chosen).sha256
    except SelectionError:  # it selects studies or diseases that are not among the shipped
        shipped = None
    if shipped == evidence.sha256:
        return "The counts and their sources are shipped with the code."
    return "Not done: the code is public, the counts are the user's own: say where they are."


def _named(name: str) -> PriorSet | None:
    from ....models.priors.catalogue import CATALOGUE

    return CATALOGUE.get(name)


def _computation(config: Mapping[str, Any]) -> str:
    if config["engine"] == "exact":
        return "The posterior was integrated numerically, without sampling."
    again = "; doubled because too few draws were effective" if config["doubled"] else ""
    return (
        "The posterior was sampled by the No-U-Turn sampler, "
        f"{numbered(config['chains'], 'chain')} of {numbered(config['draws'], 'draw')} after "
        f"{number(config['tune'])} of tuning (seed {config['seed']}{again})."
    )


def _convergence(fit: DataTree, config: Mapping[str, Any]) -> str:
    if config["engine"] == "exact":
        return "There is no sampling that could fail to converge."
    worst = diagnostics(fit)
    r_hat = worst["max_r_hat"]
    return (
        f"Over all reported quantities the largest R-hat was "
        f"{'–' if r_hat is None else f'{r_hat:.3f}'}, the fewest effective draws "
        f"{number(worst['min_ess_bulk'])} (bulk) and {number(worst['min_ess_tail'])} (tail); "
        f"there {'was' if worst['divergences'] == 1 else 'were'} "
        f"{numbered(worst['divergences'], 'divergence')}."
    )


def _checks(checked: CheckResult) -> str:
    if not checked.ran:
        return "Not done: the guard did not run."
    said = [f"{outcome_words(e.outcome)} ({e.verdict}): {e.reason}" for e in checked.alarms]
    reasons = " ".join(said) if said else "No outcome gave reason for doubt."
    return (
        "Data sets were replicated with study effects drawn anew and compared with the observed "
        f"one (mixed posterior predictive checks); overall verdict {checked.verdict}. {reasons}"
    )


def _left_out(checked: CheckResult) -> str:
    if not checked.ran:
        return "Not done: the guard did not run."
    known = [one["pareto_k"] for one in checked.loo if one["pareto_k"] is not None]
    doubtful = sum(k > LARGEST_PARETO_K for k in known)
    how = "reweighted draws"
    if not known:
        how = "without approximation"
    elif doubtful:
        how += (
            f"; the model was fitted anew for {doubtful} with Pareto k above {LARGEST_PARETO_K:g}"
        )
    else:
        how += f", no Pareto k above {LARGEST_PARETO_K:g}"
    return (
        f"Each study was left out in turn ({len(checked.loo)} of study and outcome, likelihood "
        f"integrated over its effect; {how})."
    )


def _sensitivity(comparison: PriorComparison | None) -> str:
    if comparison is None:
        return "Not done: run 'mscpool priors' and add its comparison."
    names = [spaced(each.name) for each in comparison.sets]
    frame = comparison.rates[comparison.rates["quantity"] == "rate"]
    far = frame.iloc[frame["shift"].abs().fillna(-1).to_numpy().argmax()]
    largest = signed(abs(far["shift"]), 1, far["shift_mcse"])
    return (
        f"The analysis was repeated under {numbered(len(names), 'prior set')} ({listed(names)}); "
        f"the largest shift of a mean rate was {largest} posterior standard deviations."
    )


def _software(config: Mapping[str, Any]) -> str:
    versions = config["versions"]
    parts = [f"{_PACKAGES[n]} {versions[n]}" for n in _PACKAGES if n in versions]
    own = f"mscpool {versions.get('mscpool', '')}".strip()
    return f"We used {own}, built on {listed(parts)}." if parts else f"We used {own}."


def _methods(items: list[tuple[str, str]]) -> str:
    wanted = (
        "Question and data",
        "Model and likelihood",
        "Priors and their justification",
        "Computation",
        "Posterior predictive checks",
        "Studies left out",
        "Sensitivity to the prior",
        "Software, seed and reproduction",
    )
    said = dict(items)
    return " ".join(said[name] for name in wanted if not said[name].startswith("Not "))


def _results(results: Results) -> str:
    frame = rates_data(results.fit, results.evidence)
    frame = frame[(frame["quantity"] == "rate") & (frame["evidence"] == "direct")]
    said = [_convergence(results.fit, results.run)]
    for outcome, rows in frame.groupby("outcome", sort=False):
        parts = [
            f"{interval(row)} in {results.disease_in_text(row['disease'])} (n = {row['patients']})"
            for row in rows.to_dict("records")
        ]
        name = lowered(str(outcome))
        said.append(f"The estimated rate of {name} was {listed(parts)}.")
    said.append(
        "Estimates are posterior medians with central 95 % posterior intervals, of diseases with "
        "studies of that outcome only; single-arm rates are not treatment effects."
    )
    said.append(verdict_words(results))
    return " ".join(said)
