"""``mscpool priors``: compare prior sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from ...data.folders import writing_to
from ...data.names import study_labels
from ..guard.result import UNCHECKED
from . import console
from .exits import DONE
from .options import JsonOption, ModeratorOptions, takes
from .prior_sets import print_sets, prior_set
from .priors_effects import compare_effects
from .results_folder import fit_of_request


@dataclass(frozen=True)
class ComparisonOptions(ModeratorOptions):
    """A request for a comparison, as it is typed."""

    refit: Annotated[
        bool,
        typer.Option("--refit", help="Refit every set, also where re-weighted draws would do."),
    ] = False


@takes(ComparisonOptions)
def priors(
    request: ComparisonOptions,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE.toml",
            help="Prior sets to compare: all named ones if left out; the first is the reference.",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Rate that a conclusion is about; left out, what is usual for each outcome.",
        ),
    ] = None,
    confidence: Annotated[
        float, typer.Option(metavar="X", help="Probability that this conclusion needs.")
    ] = 0.95,
    list_sets: Annotated[bool, typer.Option("--list", help="Print the named sets.")] = False,
    effects: Annotated[
        bool,
        typer.Option("--effects", help="Priors of effects, treated against control."),
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Compare prior sets.

    Writes priors.csv into the folder of --out, and what 'figures' draws of it. A fit stored there
    is re-weighted where it can be, and what its diseases borrow from each other is told as well.
    With --effects it writes effects_priors.csv, with --moderator also
    effects_priors_moderators.csv.
    """
    if effects:
        return compare_effects(request, sets, list_sets, as_json)
    if list_sets:
        print_sets(as_json)
        return DONE
    from ...data.export import write_csv
    from ...models.priors.catalogue import CATALOGUE
    from ..paper.frames.results import stamped
    from ..paper.report.findings import kept_check
    from ..sensitivity.store import stored_borrowing, stored_comparison
    from .printing import print_frame

    evidence = request.evidence()
    chosen = [prior_set(name, evidence) for name in sets or CATALOGUE]
    sampling, refit = request.sampling, request.refit
    asked = "usual" if threshold is None else threshold
    with writing_to(request.out), console.progress_display() as progress:
        console.say(*evidence.messages)
        fit = fit_of_request(request, evidence)
        comparison = stored_comparison(
            evidence,
            fit,
            chosen,
            request.pooling,
            sampling,
            request.out,
            asked,
            confidence,
            refit,
            progress,
        )
        others = (
            None
            if fit is None
            else stored_borrowing(evidence, fit, sampling, request.out, refit, progress)
        )
        checked = UNCHECKED if fit is None else kept_check(request.out, fit)
        write_csv(stamped(comparison.rates, checked), request.out / "priors.csv")
    if as_json:
        told = comparison.to_dict()
        if others is not None:
            told |= {"borrowing": others.diseases, "left_out": others.influence}
        console.print_json(told)
        return DONE
    scores = ["set", "elpd", "elpd_se", "elpd_diff", "elpd_diff_se"]
    whole = comparison.scores[comparison.scores["outcome"].isna()]
    print_frame("Prior sets by how well they predict studies left out", whole[scores])
    sentences = [*comparison.sentences(study_labels(evidence.studies))]
    sentences += [] if others is None else others.sentences()
    for sentence in sentences:
        print(console.printable(sentence))
    return DONE
