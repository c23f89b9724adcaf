"""The folder of results: the fit that is stored there, and the data of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...data.errors import OtherDataError
from . import console

if TYPE_CHECKING:
    from xarray import DataTree

    from ...data.evidence import Evidence
    from .options import SamplingOptions


def stored_fit(
    folder: Path, path: Path | None, sheet: str | None = None
) -> tuple[DataTree, Evidence | None]:
    """Load a stored fit and the data that it is a fit of; None where only the fit has them."""
    from ..fitting.fit import load_fit

    made = load_fit(folder)
    return made, _evidence_of(made, folder, path, sheet)


def stored_effects(folder: Path, path: Path | None, sheet: str | None) -> tuple[DataTree, Evidence]:
    """Load stored effects and the data that they are of."""
    from ..effects.results import load_effects

    made = load_effects(folder)
    evidence = _evidence_of(made, folder, path, sheet)
    if evidence is None:
        raise OtherDataError(
            f"{folder}: holds effects of other data than the shipped: name its data after the "
            "folder"
        )
    return made, evidence


def _evidence_of(
    made: DataTree, folder: Path, path: Path | None, sheet: str | None
) -> Evidence | None:
    """Read the data that a stored result is of; None where they are not the shipped ones."""
    from ..fitting.data_of_fit import evidence_of

    evidence = evidence_of(made, path, sheet)
    if evidence is None and path is not None:
        raise OtherDataError(
            f"{folder}: holds a fit of other data than {path}: fit that first, or name its folder"
        )
    return evidence


def fit_of_request(request: SamplingOptions, evidence: Evidence) -> DataTree | None:
    """Load the fit that is stored where the results go; refuse one of other data."""
    from ..fitting.fit import load_fit, run_config
    from ..fitting.store import FILE, check_same_data

    if request.refit or not (request.out / FILE).is_file():
        return None
    made = load_fit(request.out)
    try:
        check_same_data(evidence, [made])
    except OtherDataError as other:
        raise OtherDataError(f"{request.out / FILE}: {other}; or name another --out") from None
    config = run_config(made)
    same = (config["pooling"], config["engine"]) == (request.pooling, request.engine)
    if not same:
        console.say(
            f"{request.out / FILE} is a fit with {config['pooling']} pooling by the engine "
            f"{config['engine']}: not used"
        )
    return made if same else None
