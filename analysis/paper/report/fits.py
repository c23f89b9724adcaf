"""The fits that a report needs: made, or read back where they are stored."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ....data.errors import SelectionError, StoredFitError
from ....data.outcomes import outcome
from ...fitting.beside import unheard
from ...fitting.progress import Progress, named
from ...fitting.sampling import Sampling
from ...fitting.summary import with_shown
from ...guard.result import UNCHECKED
from ..frames.next_patients import next_patients_of
from ..frames.results import Results
from .findings import findings_of

if TYPE_CHECKING:
    from xarray import DataTree

    from ....data.evidence import Evidence
    from ....models.priors.sets import PriorSet

COMPARED_POOLINGS = ("none", "partial", "complete")
#: What a report asks of why studies differ, each alone, where the tables have it: when patients
#: were treated, how and with what, how long they were watched, and whether small studies differ.
MODERATORS = ("year", "randomised", "donor", "cell_group", "follow_up_months", "n_msc")


@dataclass(frozen=True)
class Request:
    """One fit that the report needs, and where it is kept."""

    evidence: Evidence
    pooling: str
    priors: PriorSet
    sampling: Sampling
    path: Path
    refit: bool

    def is_kept(self) -> bool:
        """Whether the fit is stored already."""
        from ...fitting import store

        if self.refit:
            return False
        config = store.request(self.evidence, self.pooling, self.priors, **asdict(self.sampling))
        try:
            kept = store.load(self.path, groups=())
        except StoredFitError:
            return False
        return kept.attrs["run_config"] == store.canonical(config)

    def fitted(self, progress: Progress | None = None) -> DataTree:
        """Fit, or read back."""
        from ...fitting.fit import fit

        return fit(
            self.evidence,
            self.pooling,
            self.priors,
            **asdict(self.sampling),
            path=self.path,
            refit=self.refit,
            progress=progress,
        )


def results_of(main: Request, checking: bool, progress: Progress) -> Results:
    """Make or read back every fit, check the main one, and ask how much hangs on its priors."""
    from ...sensitivity.store import stored_borrowing, stored_comparison

    evidence, out = main.evidence, main.path.parent
    poolings = _other_poolings(main, out)
    definitions, by_moderator = _other_definitions(main, out), explaining(main, out)
    with _fitting_beside([*poolings.values(), *by_moderator.values()]):
        fit = main.fitted(progress)
        others = {
            name: (each.evidence, each.fitted(named(progress, f"{name} definitions")))
            for name, each in definitions.items()
        }
        checked = UNCHECKED
        if checking:
            checked = findings_of(fit, evidence, out, main.refit, progress)
        comparison = stored_comparison(
            evidence,
            fit,
            compared_sets(main.priors),
            main.pooling,
            main.sampling,
            out,
            refit=main.refit,
            progress=progress,
        )
        others_say = stored_borrowing(evidence, fit, main.sampling, out, main.refit, progress)
        progress("fitting other poolings", 0, 0)
    fits = {
        name: fit if name == main.pooling else each.fitted(named(progress, f"{name} pooling"))
        for name, each in {**poolings, main.pooling: main}.items()
    }
    ordered = sorted(fits, key=(*COMPARED_POOLINGS, main.pooling).index)
    told = with_shown(fit)
    by_pooling = {name: told if fits[name] is fit else fits[name] for name in ordered}
    asked = next_patients_of(fit, checked, progress)
    explained = {
        name: each.fitted(named(progress, f"moderator {name}"))
        for name, each in by_moderator.items()
    }
    return Results(
        told, evidence, checked, by_pooling, others, comparison, others_say, asked, explained
    )


def compared_sets(priors: PriorSet) -> list[PriorSet]:
    """Give a fit's own priors, and the sets of the catalogue that they are compared with."""
    from ....models.priors.catalogue import CATALOGUE

    return [priors, *(each for name, each in CATALOGUE.items() if name != priors.name)]


def _other_poolings(main: Request, out: Path) -> dict[str, Request]:
    if len(main.evidence.diseases) == 1:
        return {}
    return {
        name: replace(main, pooling=name, path=out / "fits" / f"{name}.nc")
        for name in COMPARED_POOLINGS
        if name != main.pooling
    }


def _other_definitions(main: Request, out: Path) -> dict[str, Request]:
    """Give the fit with the other definitions, where they change a count."""
    own = main.evidence.selection.definitions
    name = "alternative" if own == "primary" else "primary"
    try:
        evidence = main.evidence.select(definitions=name)
    except SelectionError:  # the other definitions leave no rows
        return {}
    if evidence.sha256 == main.evidence.sha256:
        return {}
    return {name: replace(main, evidence=evidence, path=out / "fits" / f"{name}.nc")}


def explaining(main: Request, out: Path) -> dict[str, Request]:
    """Give the fits that say why studies differ: of one outcome, with one moderator each.

    Parameters
    ----------
    main : Request
        The fit of the report.
    out : Path
        The folder of the report.

    Returns
    -------
    dict of str to Request
        By moderator, those of `MODERATORS` that the studies can tell of; the outcome is the
        benefit, else the harm, that most studies count. None where the fit is not sampled, or has
        moderators of its own.
    """
    evidence = main.evidence
    if main.sampling.engine != "nuts" or evidence.moderators:
        return {}
    studies = evidence.rows.groupby("outcome")["study"].nunique().to_dict()
    name = max(evidence.outcome_names, key=lambda each: (not outcome(each).is_harm, studies[each]))
    found = {}
    for moderator in MODERATORS:
        if moderator not in evidence.columns:
            continue
        try:
            own = evidence.select(outcomes=name, moderators=moderator)
        except SelectionError:  # too few studies, or some without a value
            continue
        if len(set(own.moderators[0].values.values())) > 1:
            path = out / "fits" / f"moderator_{moderator}.nc"
            found[moderator] = replace(main, evidence=own, path=path)
    return found


@contextmanager
def _fitting_beside(requests: list[Request]) -> Iterator[None]:
    """Let a second process make what is not stored yet, each with a model of its own to compile.

    What it does not finish is made afterwards, where it is needed.
    """
    from joblib.externals.loky.backend import get_context

    wanted = [each for each in requests if not each.is_kept()]
    sampled = [each for each in wanted if each.sampling.engine == "nuts"]
    # Loky's processes do not run the calling script again, as spawned ones would.
    worker = get_context("loky").Process(target=_keep_fits, args=(sampled,), daemon=True)
    if sampled:
        with unheard():
            worker.start()
    try:
        yield
        if sampled:
            worker.join()
    finally:
        if sampled and worker.is_alive():
            worker.terminate()
            worker.join()


def _keep_fits(requests: list[Request]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides when to end this one
    for each in requests:
        each.fitted()


def kept_poolings(folder: Path, fit: DataTree) -> dict[str, DataTree]:
    """Load the fits that a report kept for comparison: the same but for the pooling."""
    from ...fitting.store import load, run_config

    own = run_config(fit)
    fits = {own["pooling"]: fit}
    for pooling in COMPARED_POOLINGS:
        path = folder / "fits" / f"{pooling}.nc"
        if pooling in fits or not path.is_file():
            continue
        other = load(path)
        if run_config(other) == {**own, "pooling": pooling}:
            fits[pooling] = other
    order = [*COMPARED_POOLINGS, own["pooling"]]
    return {name: fits[name] for name in sorted(fits, key=order.index)}
