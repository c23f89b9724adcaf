"""``mscpool fit``: fit the model and let the guard check it."""

from __future__ import annotations

import time
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...data.folders import writing_to
from ..guard.result import UNCHECKED, CheckResult
from . import console
from .exits import status_of
from .options import JsonOption, ModeratedFitOptions, takes
from .prior_sets import prior_set

if TYPE_CHECKING:
    from xarray import DataTree


@takes(ModeratedFitOptions)
def fit(request: ModeratedFitOptions, as_json: JsonOption = False) -> int:
    """Fit the model and let the guard check it.

    Writes fit.nc, rates.csv and check.json into the folder of --out; with --moderator also
    moderators.csv and heterogeneity.csv.
    """
    from ...data.export import write_csv
    from ...data.folders import file_set
    from ..fitting.exact_fit import NotIntegrated, left_to_the_sampler
    from ..fitting.fit import fit as fit_model
    from ..fitting.fit import rates
    from ..fitting.moderated import heterogeneity, moderators
    from ..fitting.store import FILE
    from ..paper.frames.results import stamped
    from ..paper.report.findings import findings_of, forget_check, write_check

    evidence = request.evidence()
    priors = prior_set(request.priors, evidence)
    out = request.out
    with writing_to(out), file_set(out) as aside, console.progress_display() as progress:
        console.say(*evidence.messages)
        started = time.monotonic()
        with warnings.catch_warnings(action="ignore", category=NotIntegrated):  # said below
            made = fit_model(
                evidence,
                request.pooling,
                priors,
                **asdict(request.sampling),
                path=out / FILE,
                refit=request.refit,
                aside=aside / FILE,
                progress=progress,
            )
        seconds = time.monotonic() - started
        console.say(*left_to_the_sampler(made), *_only_its_prior(made))
        checked = UNCHECKED
        if not request.no_check:
            checked = findings_of(made, evidence, out, request.refit, progress)
        write_check(checked, aside)
        write_csv(stamped(rates(made), checked), aside / "rates.csv")
        if evidence.moderators:
            write_csv(stamped(moderators(made), checked), aside / "moderators.csv")
            write_csv(stamped(heterogeneity(made), checked), aside / "heterogeneity.csv")
    if not checked.ran:
        forget_check(out)
    if as_json:
        console.print_json(_fit_answer(made, checked, seconds))
    else:
        from .moderators import print_moderators
        from .printing import print_rates, print_verdict

        if evidence.moderators:
            print_moderators(made, checked)
        print_rates(rates(made), checked, evidence)
        print_verdict(checked)
    return status_of(checked)


def _only_its_prior(made: DataTree) -> list[str]:
    """Say of which outcomes the data cannot tell a spread from its prior."""
    from ...data.names import outcome_words
    from ..fitting.store import run_config
    from ..guard.check import terms_of_fit
    from ..guard.identified import unidentified

    told = unidentified(terms_of_fit(made), run_config(made)["pooling"])
    return [f"{outcome_words(name)}: {sentence}" for name, sentence in told.items()]


def _fit_answer(made: DataTree, checked: CheckResult, seconds: float) -> dict[str, Any]:
    from ..fitting.fit import diagnostics, hyper, rates, run_config
    from .moderators import moderators_answer

    explained = moderators_answer(made) if "moderators" in made.children else {}
    return {
        "verdict": checked.stated,
        "rates": rates(made),
        "hyper": hyper(made),
        **explained,
        "diagnostics": diagnostics(made),
        "run": {**run_config(made), "seconds": round(seconds, 3)},
    }
