"""Data sets drawn from the model, and data sets with a named defect that a guard should notice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from ...data.evidence import Evidence, load_evidence
from ...models.priors.sets import DEFAULT
from ...models.terms import Terms, build_terms
from ..fitting.predict import Levels, levels_of, prior_levels, renew_studies, replicate
from ..fitting.sampler import sample
from ..fitting.sampling import SEED
from .sbc import within_stretches

#: Typical rates, and the standard deviation of studies on the log-odds, of one-outcome data sets.
LOWEST_RATE, HIGHEST_RATE, SIGMA = 0.3, 0.7, 0.3
#: Log-odds between the two halves of the diseases under complete pooling.
SPLIT = 2.0

_OUTCOME = "improvement"
_NEW_STUDIES = 2000


@dataclass(frozen=True, eq=False)
class Simulated:
    """A data set and what is true of it.

    Attributes
    ----------
    terms : Terms
        Its likelihood.
    new_study : numpy.ndarray or None
        Rates of further studies as the data were drawn, without the defect of a single study;
        shape (draw, disease).
    truth : Levels or None
        The draw of the priors that the data come from; None where they come from none.
    """

    terms: Terms
    new_study: np.ndarray | None = None
    truth: Levels | None = None


def from_prior(rng: np.random.Generator, moderators: tuple[str, ...] = ()) -> Simulated:
    """Draw all outcomes of the core evidence from the default priors and the partial model."""
    evidence = load_evidence(moderators=moderators)
    truth = prior_levels(_terms(evidence), "partial", DEFAULT, 1, rng)
    return replace(_like_the_evidence(evidence, truth, rng), truth=truth)


def from_prior_with_year(rng: np.random.Generator) -> Simulated:
    """Draw them from the model in which the year of a study moves its level."""
    return from_prior(rng, ("year",))


def from_posterior(rng: np.random.Generator) -> Simulated:
    """Draw all outcomes of the core evidence from its own posterior, with new study effects."""
    levels, evidence = _posterior(), load_evidence()
    chosen = [rng.integers(len(levels))]
    one = Levels.of_diseases(levels.sigma[chosen], levels.theta[chosen])
    return _like_the_evidence(evidence, renew_studies(one, _terms(evidence), rng), rng)


@lru_cache(maxsize=1)
def _posterior() -> Levels:
    """Draws of the default model given the core evidence; sampled once a process."""
    terms = _terms(load_evidence())
    sampled, _ = sample(terms, "partial", DEFAULT)
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in sampled.items()}
    return levels_of(flat, terms, np.random.default_rng(SEED))


def _terms(evidence: Evidence) -> Terms:
    return _with_rows(evidence, evidence.rows)


def _with_rows(evidence: Evidence, rows: pd.DataFrame) -> Terms:
    return build_terms(rows, evidence.outcome_names, evidence.diseases, evidence.moderators)


def _like_the_evidence(evidence: Evidence, levels: Levels, rng: np.random.Generator) -> Simulated:
    """Draw counts in the shape of evidence, given one draw of the levels.

    Studies, arms, patients and follow-up are the evidence's, and a row that is bounded there is
    bounded here.
    """
    counts = replicate(levels, _terms(evidence), rng)[0]
    return Simulated(_with_rows(evidence, within_stretches(counts, evidence.rows, rng)))


@dataclass(frozen=True, eq=False)
class Trials:
    """Studies of one outcome, one arm each: disease codes and patients, shape (study,)."""

    diseases: tuple[str, ...]
    disease: np.ndarray
    n: np.ndarray

    def terms(self, counts: np.ndarray) -> Terms:
        """Turn known counts, shape (study,), into the likelihood's terms."""
        names = np.array(self.diseases, object)[self.disease]
        rows = pd.DataFrame(
            {
                "study": [f"study{i + 1}" for i in range(len(counts))],
                "disease": names,
                "arm": "msc",
                "outcome": _OUTCOME,
                "events_min": counts,
                "events_max": counts,
                "n": self.n,
                "months": np.nan,
            }
        )
        return build_terms(rows, (_OUTCOME,), self.diseases)


def many_studies() -> Trials:
    """Six diseases with eight studies of forty patients each."""
    diseases = tuple(f"disease{i + 1}" for i in range(6))
    return Trials(diseases, np.repeat(np.arange(6), 8), np.full(48, 40))


@lru_cache(maxsize=1)
def core_studies() -> Trials:
    """Give the two dozen core studies, as if each had reported the outcome of all it treated."""
    evidence = load_evidence()
    core = evidence.studies[evidence.studies["role"] == "core"]
    codes = [evidence.diseases.index(name) for name in core["disease"]]
    return Trials(evidence.diseases, np.array(codes), core["n_msc"].to_numpy(np.int64))


def _levels(trials: Trials, rng: np.random.Generator) -> np.ndarray:
    """Log-odds of the diseases; shape (disease,)."""
    return logit(rng.uniform(LOWEST_RATE, HIGHEST_RATE, len(trials.diseases)))


def _of_studies(theta: np.ndarray, trials: Trials, rng: np.random.Generator) -> np.ndarray:
    """Log-odds of the studies; shape (study,)."""
    return theta[trials.disease] + SIGMA * rng.standard_normal(len(trials.n))


def _further(theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rates of further studies; shape (draw, disease)."""
    return expit(theta + SIGMA * rng.standard_normal((_NEW_STUDIES, len(theta))))


def no_defect(trials: Trials, rng: np.random.Generator) -> Simulated:
    """Every disease its own rate, studies about it."""
    theta = _levels(trials, rng)
    counts = rng.binomial(trials.n, expit(_of_studies(theta, trials, rng)))
    return Simulated(trials.terms(counts), _further(theta, rng))


def split_diseases(trials: Trials, rng: np.random.Generator, split: float = SPLIT) -> Simulated:
    """Three diseases so many log-odds above the other three."""
    count = len(trials.diseases)
    upper = rng.permutation(np.arange(count) % 2) - 0.5
    theta = logit(rng.uniform(LOWEST_RATE, HIGHEST_RATE)) + split * upper
    counts = rng.binomial(trials.n, expit(_of_studies(theta, trials, rng)))
    return Simulated(trials.terms(counts), _further(theta, rng))


def moved_study(trials: Trials, rng: np.random.Generator, move: float) -> Simulated:
    """One study moved so many log-odds to the other side of one half."""
    theta = _levels(trials, rng)
    eta, chosen = _of_studies(theta, trials, rng), rng.integers(len(trials.n))
    eta[chosen] -= move * (1 if eta[chosen] > 0 else -1)
    return Simulated(trials.terms(rng.binomial(trials.n, expit(eta))), _further(theta, rng))


def overdispersed(trials: Trials, rng: np.random.Generator, rho: float) -> Simulated:
    """Draw counts that are beta-binomial about their studies' rates, correlated within an arm."""
    theta = _levels(trials, rng)
    rate = _beta(expit(_of_studies(theta, trials, rng)), rho, rng)
    counts = rng.binomial(trials.n, rate)
    return Simulated(trials.terms(counts), _beta(_further(theta, rng), rho, rng))


def _beta(mean: np.ndarray, rho: float, rng: np.random.Generator) -> np.ndarray:
    strength = (1 - rho) / rho
    return rng.beta(mean * strength, (1 - mean) * strength)


def mistyped_count(trials: Trials, rng: np.random.Generator, times: int) -> Simulated:
    """One count typed so many times too large, or n where that is less."""
    made = no_defect(trials, rng)
    counts = made.terms.rows["events_min"].to_numpy().copy()
    chosen = rng.choice(np.flatnonzero((counts > 0) & (counts < trials.n)))
    counts[chosen] = min(times * counts[chosen], trials.n[chosen])
    return replace(made, terms=trials.terms(counts))


Drawn = Callable[[Trials, np.random.Generator], Simulated]

_APART = "half the diseases {} log-odds above the others, {} pooling"
_WORDS: dict[float, str] = {1: "one", 2: "two", 3: "three", 5: "five", 10: "ten"}


def _each_size(words: str, draw: Callable[..., Simulated], option: str, *sizes: float):
    """Give a defect at each of its sizes, all fitted under the default pooling."""
    return {
        words.format(_WORDS.get(size, size)): (partial(draw, **{option: size}), "partial")
        for size in sizes
    }


#: What is wrong in words, how such data are drawn, and how they are fitted.
DEFECTS: dict[str, tuple[Drawn, str]] = {
    "none": (no_defect, "partial"),
    _APART.format("two", "complete"): (split_diseases, "complete"),
    **_each_size("one study moved {} log-odds to the other side", moved_study, "move", 1, 2, 3),
    **_each_size("beta-binomial overdispersion, rho {}", overdispersed, "rho", 0.1, 0.3, 0.5),
    **_each_size("one count typed {} times too large", mistyped_count, "times", 2, 5, 10),
    **_each_size(_APART.format("{}", "default"), split_diseases, "split", 1, 2, 3),
}
#: Defects that the guard is there for, where studies are many.
NEEDED = (_APART.format("two", "complete"), "one study moved three log-odds to the other side")
