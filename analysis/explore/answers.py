"""What a state of the page says, by the exact engine; the likelihoods are tabulated once.

Nothing here knows of a page: a state goes in, numbers come out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data.names import study_labels
from ...data.outcomes import Outcome, outcome
from ...models.exact.implied import implied_for_a_disease
from ...models.exact.outcomes import ExactFit, exact_model
from ...models.priors.prior import Prior
from ..fitting.exact_fit import shown_tree
from ..fitting.sampling import SEED
from ..guard.left_out_exactly import leave_studies_out
from ..guard.surprise import most_surprising
from ..paper.frames.rates import forest_data
from ..paper.frames.results import Results
from ..sensitivity.compare_exactly import exact_map, exact_probabilities
from ..sensitivity.flips import conclude, flips
from ..sensitivity.prior_map import prior_grid
from ..sensitivity.questions import CONFIDENCE, Question
from .state import State

if TYPE_CHECKING:
    from ...data.evidence import Evidence
    from ..guard.result import Check

#: Data selections whose likelihoods are kept, tables of each, and prior sets of each.
_SELECTIONS, _TABLES = 2, 3
#: Rates at which densities are drawn, closer near 0 and 1.
_CURVE = (1 - np.cos(np.linspace(0.01, np.pi - 0.01, 241))) / 2


@dataclass(frozen=True, eq=False)
class Answer:
    """What a state says.

    Attributes
    ----------
    state : State
        What was asked.
    evidence : Evidence
        The analysis set, of the state's outcome.
    fit, reference : ExactFit
        Integrated under the state's priors, and under its reference.
    observed : DataFrame
        The outcome's studies: ``disease``, and the bounds ``low`` and ``high`` of what was observed
        (probabilities; of a timed outcome 12-month risks).
    """

    state: State
    evidence: Evidence
    fit: ExactFit
    reference: ExactFit
    observed: pd.DataFrame

    @property
    def outcome(self) -> Outcome:
        """The outcome that is looked at."""
        return outcome(self.state.outcome)

    @property
    def question(self) -> Question:
        """The conclusion: that a benefit is commoner than the threshold, or a harm rarer."""
        return question_of(self.state)

    @cached_property
    def results(self) -> Results:
        """The integrals, as pictures and tables of a fit take them; the guard has not seen them."""
        return Results(shown_tree(self.fit), self.evidence)

    @cached_property
    def rates(self) -> pd.DataFrame:
        """Every disease's rate and next study; columns as `ExactPosterior.rates`."""
        table = self.fit.rates()
        return table[table["outcome"] == self.state.outcome].reset_index(drop=True)

    @cached_property
    def hyper(self) -> pd.DataFrame:
        """Mu, tau and sigma; columns as `ExactPosterior.hyper`."""
        table = self.fit.hyper()
        return table[table["outcome"] == self.state.outcome].reset_index(drop=True)

    @property
    def log_marginal_likelihood(self) -> tuple[float, float]:
        """Log probability of the outcome's data, under the state's priors and the reference."""
        name = self.state.outcome
        mine, other = (f.log_marginal_likelihood[name] for f in (self.fit, self.reference))
        return mine, other

    @cached_property
    def conclusions(self) -> pd.DataFrame:
        """Probability of the conclusion in each disease, under both priors.

        Returns
        -------
        pandas.DataFrame
            ``disease``, ``evidence`` (``direct`` or ``borrowed``), ``probability`` and
            ``reference`` (of the conclusion), ``concluded`` and ``reference_concluded`` (``yes``,
            ``no``, ``undecided``), ``q2.5``, ``q50``, ``q97.5`` of the rate.
        """
        name = self.state.outcome
        tables = []
        for fit in (self.fit, self.reference):
            table = exact_probabilities([fit], {name: self.question}).set_index("disease")
            answers = conclude(table["probability"], table["mcse"], CONFIDENCE)
            tables.append(table.assign(concluded=answers))
        mine, other = tables
        rates = self.rates[self.rates["quantity"] == "rate"].set_index("disease")
        table = rates[["evidence", "q2.5", "q50", "q97.5"]].assign(
            probability=mine["probability"],
            reference=other["probability"],
            concluded=mine["concluded"],
            reference_concluded=other["concluded"],
        )
        return table.reset_index()

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Prior, posterior, reference and studies of each disease, for `draw_rate_densities`."""
        name = self.state.outcome
        priors = implied_for_a_disease(
            self.fit.priors, self.outcome, self.state.pooling, self.evidence.diseases
        ).density_at(_CURVE)
        both = {"posterior": self.fit}
        if self.state.own:
            both["reference"] = self.reference
        parts: list[pd.DataFrame] = []
        for disease in self.evidence.diseases:
            found = {g: f.distribution(name, "rate", disease) for g, f in both.items()}
            groups = {"prior": priors} | {g: d.density_at(_CURVE) for g, d in found.items()}
            parts += [
                pd.DataFrame({"disease": disease, "group": g, "value": _CURVE, "density": d})
                for g, d in groups.items()
            ]
        curves = pd.concat([*parts, self.observed.assign(group="observed")], ignore_index=True)
        return curves.assign(outcome=name, threshold=self.state.threshold)

    @cached_property
    def left_out(self) -> Check:
        """The study that the others predict worst, judged as the guard does; exact."""
        name = self.state.outcome
        rng = np.random.default_rng(SEED)
        studies = leave_studies_out(self.fit.posteriors[name], name, rng)
        return most_surprising(name, studies, study_labels(self.evidence.studies))

    @cached_property
    def flip_map(self) -> pd.DataFrame:
        """Probability of the conclusion over a grid of priors about the state's own."""
        return exact_map(self.fit, self.state.outcome, self.question)

    @property
    def flip_frame(self) -> pd.DataFrame:
        """The map as `draw_flip_map` takes it; no rows under a pooling without tau."""
        known = self.conclusions.set_index("disease")["evidence"]
        frame = self.flip_map[self.flip_map["tau_scale"].notna()]
        return frame.assign(
            evidence=frame["disease"].map(known),
            threshold=self.question.threshold,
            direction=self.question.direction.value,
            wanted=CONFIDENCE,
        )

    @property
    def nearest(self) -> dict[str, dict[str, Prior]]:
        """The nearest prior of the map that changes each disease's conclusion, by disease."""
        name, found = self.state.outcome, {}
        grid = prior_grid(self.fit.priors, name, self.fit.model.hierarchies[name].has_tau)
        for row in self.flips.to_dict("records"):
            if not np.isfinite(row["nearest_mu"]):
                continue
            moved = {"mu": Prior.make("Normal", mu=row["nearest_mu"], sigma=grid.spread)}
            if np.isfinite(row["nearest_tau_scale"]):
                moved["tau"] = Prior.make("HalfNormal", sigma=row["nearest_tau_scale"])
            found[str(row["disease"])] = moved
        return found

    @cached_property
    def flips(self) -> pd.DataFrame:
        """Whether the reference concludes otherwise, and the nearest prior that changes it."""
        name = self.state.outcome
        fits = [self.fit] + ([self.reference] if self.state.own else [])
        asked = {name: self.question}
        return flips(self.flip_map, exact_probabilities(fits, asked), asked, CONFIDENCE)


def _with_observed(fit: ExactFit, name: str) -> tuple[ExactFit, pd.DataFrame]:
    frame = forest_data(shown_tree(fit), fit.model.evidence, name)
    studies = frame.loc[frame["row"] == "study", ["disease", "raw_min", "raw_max"]]
    return fit, studies.rename(columns={"raw_min": "low", "raw_max": "high"})


def question_of(state: State) -> Question:
    """Say which conclusion a state draws."""
    from ...models.direction import Direction

    harm = outcome(state.outcome).is_harm
    return Question(state.threshold, Direction.BELOW if harm else Direction.ABOVE)


class Answers:
    """Answers states of one data set; what is common to them is computed once.

    Parameters
    ----------
    source : Evidence
        The data set, in any selection.
    """

    def __init__(self, source: Evidence) -> None:
        self.source = source
        self._models: OrderedDict[Hashable, Any] = OrderedDict()
        self._arms: OrderedDict[Hashable, Any] = OrderedDict()
        self._references: OrderedDict[Hashable, tuple[ExactFit, pd.DataFrame]] = OrderedDict()

    def evidence(self, state: State) -> Evidence:
        """Select what a state asks for.

        Raises
        ------
        InputError
            As `Evidence.select`.
        """
        return self.source.select(
            analysis_set=state.analysis_set,
            definitions=state.definitions,
            outcomes=(state.outcome,),
            drop=state.drop,
            means=state.means,
        )

    def answer(self, state: State) -> Answer:
        """Integrate a state's outcome under its priors and its reference.

        Raises
        ------
        NotExact
            An outcome that only the sampler can fit.
        InputError
            A selection without rows, or priors that exclude the data.
        """
        chosen = _selection(state)
        model = _kept(self._models, chosen, _SELECTIONS, lambda: self._model(chosen))
        reference, observed = _kept(
            self._references,
            (chosen, state.base),
            2 * _SELECTIONS,
            lambda: _with_observed(model.fit(state.reference), state.outcome),
        )
        # The reference has settled how fine a grid must be; its error is then verified, as is
        # that of priors whose tables are narrower.
        fit = model.fit(state.priors, verify=False) if state.own else reference
        for each in model.hierarchies.values():
            each.keep(_TABLES)
        return Answer(state, model.evidence, fit, reference, observed)

    def of_arms[Made](self, state: State, make: Callable[[Evidence], Made]) -> Made:
        """Give what follows from both arms of a state's studies, whatever is believed of rates.

        Parameters
        ----------
        state : State
            Which studies of which outcome, and how they are pooled.
        make : callable
            Makes it of the evidence; the same one whenever this is asked.
        """
        key = _selection(state)
        return _kept(self._arms, key, _SELECTIONS, lambda: make(self.evidence(state)))

    def _model(self, state: State):
        return exact_model(self.evidence(state), state.pooling, (state.outcome,))


#: What of a state decides which likelihoods are tabulated.
_CHOOSE = ("outcome", "analysis_set", "definitions", "drop", "means", "pooling")


def _selection(state: State) -> State:
    """Give the state that stands for all of the same selection and pooling."""
    return replace(State(), **{name: getattr(state, name) for name in _CHOOSE})


def _kept[Made](
    store: OrderedDict[Hashable, Made], key: Hashable, most: int, make: Callable[[], Made]
) -> Made:
    """Give what was made before, the most recent few, or make it; other threads do so too."""
    made = store.pop(key, None)
    if made is None:
        made = make()
    store[key] = made
    while len(store) > most:
        store.popitem(last=False)
    return made
