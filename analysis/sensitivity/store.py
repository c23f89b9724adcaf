"""Comparisons of priors, and what diseases borrow, stored beside the fit that they belong to.

Both are made of data frames. They are stored in the format of a fit, together with the request that
they answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ...data.errors import StoredFitError
from ...models.priors.sets import PriorSet
from ..fitting import store
from ..fitting.progress import Progress
from ..fitting.sampling import Sampling
from .borrowing import Borrowing, borrowing
from .compare import compare_priors
from .questions import CONFIDENCE
from .result import PriorComparison

if TYPE_CHECKING:
    import xarray as xr
    from xarray import DataTree

    from ...data.evidence import Evidence

COMPARISON_FILE, BORROWING_FILE = "priors.nc", "borrowing.nc"

_COMPARISON_FRAMES = (
    "rates", "hyper", "before", "methods", "scores", "densities", "power_scaling", "conflicts",
    "flips", "flip_map",
)  # fmt: skip
_BORROWING_FRAMES = ("diseases", "influence")
#: Fields of a comparison's request that must agree with a fit's, for it to be of the same model.
_SAME_MODEL = ("data_sha256", "selection", "outcomes", "diseases", "model", "pooling")


def stored_comparison(
    evidence: Evidence,
    fit: DataTree | None,
    sets: Sequence[PriorSet],
    pooling: str,
    sampling: Sampling,
    folder: Path,
    threshold: float | Literal["usual"] = "usual",
    confidence: float = CONFIDENCE,
    refit: bool = False,
    progress: Progress | None = None,
) -> PriorComparison:
    """Compare prior sets and store the result; the answer to an identical request is read back.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    fit : DataTree or None
        Its fit, whose draws are re-weighted.
    sets : sequence of PriorSet
        What is compared, the reference first.
    pooling : str
        How diseases inform each other.
    sampling : Sampling
        As of a fit; refits are shorter.
    folder : Path
        Where the comparison is stored.
    threshold, confidence, progress
        As in `compare_priors`.
    refit : bool
        Compare even where the same request is stored, and refit every set.

    Returns
    -------
    PriorComparison
    """
    # A set that has to be refitted states its errors: it may be shorter than the fit itself.
    shorter = asdict(sampling.scaled(draws=3 / 4, tune=1 / 2))
    asked = {"threshold": threshold, "confidence": confidence, "refit": refit}
    made_of = None if fit is None else store.run_config(fit)
    about = {"sets": [each.to_dict() for each in sets], "fit": made_of}
    request = store.request(evidence, pooling, sets[0], **shorter) | about | asked
    stored = None if refit else read_back_comparison(folder, request)
    if stored is not None:
        return stored
    comparison = compare_priors(
        evidence, list(sets), pooling, fit, progress=progress, **asked, **shorter
    )
    save_comparison(comparison, request, folder)
    return comparison


def stored_borrowing(
    evidence: Evidence,
    fit: DataTree,
    sampling: Sampling,
    folder: Path,
    refit: bool = False,
    progress: Progress | None = None,
) -> Borrowing | None:
    """Find what diseases borrow and store it; the result for this very fit is read back.

    Parameters
    ----------
    evidence, fit, sampling, folder, progress
        As in `stored_comparison`.
    refit : bool
        Find it even where it is stored.

    Returns
    -------
    Borrowing or None
        None where nothing can be borrowed or the fit has no draws.
    """
    if len(evidence.diseases) < 2 or store.run_config(fit)["engine"] != "nuts":
        return None
    shorter = sampling.scaled(draws=1 / 2, tune=1 / 2)
    length = {name: getattr(shorter, name) for name in ("draws", "tune", "chains", "seed")}
    request = store.run_config(fit) | {"left_out": "every study and every disease"}
    request |= {f"refit_{name}": value for name, value in length.items()}
    stored = None if refit else read_back_borrowing(folder, request)
    if stored is not None:
        return stored
    result = borrowing(evidence, fit, progress=progress, **length)
    save_borrowing(result, request, folder)
    return result


def save_comparison(comparison: PriorComparison, request: dict[str, Any], folder: Path) -> None:
    """Write a comparison into a folder, in one step."""
    about = {
        "reference": comparison.reference,
        "sets": [each.to_dict() for each in comparison.sets],
        "run": comparison.run,
        "messages": list(comparison.messages),
    }
    frames = {name: getattr(comparison, name) for name in _COMPARISON_FRAMES}
    _save(frames, about, request, folder / COMPARISON_FILE)


def save_borrowing(result: Borrowing, request: dict[str, Any], folder: Path) -> None:
    """Write a result on borrowing into a folder, in one step."""
    frames = {name: getattr(result, name) for name in _BORROWING_FRAMES}
    _save(frames, {}, request, folder / BORROWING_FILE)


def read_back_comparison(folder: Path, request: dict[str, Any]) -> PriorComparison | None:
    """Read the stored comparison if it answers a request; else None."""
    tree = _load(folder / COMPARISON_FILE)
    return _comparison(tree) if tree is not None and _answers(tree, request) else None


def read_back_borrowing(folder: Path, request: dict[str, Any]) -> Borrowing | None:
    """Read the stored result on borrowing if it answers a request; else None."""
    tree = _load(folder / BORROWING_FILE)
    return _borrowing(tree) if tree is not None and _answers(tree, request) else None


def load_comparison(folder: Path, fit: DataTree) -> PriorComparison | None:
    """Read the stored comparison if its data, model and pooling are those of a fit; else None."""
    tree = _load(folder / COMPARISON_FILE)
    if tree is None:
        return None
    stored, wanted = store.run_config(tree), store.run_config(fit)
    same = all(stored.get(name) == wanted.get(name) for name in _SAME_MODEL)
    return _comparison(tree) if same else None


def load_borrowing(folder: Path, fit: DataTree) -> Borrowing | None:
    """Read the stored result on borrowing if it was computed from this very fit; else None."""
    tree = _load(folder / BORROWING_FILE)
    if tree is None:
        return None
    stored = store.run_config(tree)
    return _borrowing(tree) if {**stored, **store.run_config(fit)} == stored else None


def _save(frames: Mapping[str, pd.DataFrame], about: Mapping[str, Any], request, path: Path):
    import xarray as xr

    tree = xr.DataTree.from_dict({name: to_dataset(frame) for name, frame in frames.items()})
    tree.attrs.update(run_config=store.canonical(request), about=json.dumps(about))
    store.save(tree, path)


def _load(path: Path) -> DataTree | None:
    """Read a file of this module; None where it is missing, damaged or of another kind."""
    try:
        tree = store.load(path)
    except StoredFitError:
        return None
    return tree if "about" in tree.attrs else None


def _answers(tree: DataTree, request: dict[str, Any]) -> bool:
    return tree.attrs["run_config"] == store.canonical(request)


def _frames(tree: DataTree, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    return {name: to_frame(tree[name].to_dataset()) for name in names}


def _comparison(tree: DataTree) -> PriorComparison:
    about = json.loads(tree.attrs["about"])
    return PriorComparison(
        reference=about["reference"],
        sets=tuple(PriorSet.from_dict(each) for each in about["sets"]),
        **_frames(tree, _COMPARISON_FRAMES),
        run=about["run"],
        messages=tuple(about["messages"]),
    )


def _borrowing(tree: DataTree) -> Borrowing:
    return Borrowing(**_frames(tree, _BORROWING_FRAMES))


def to_dataset(frame: pd.DataFrame) -> xr.Dataset:
    """Convert a frame for netCDF: texts become codes, nullable whole numbers become floats.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of numbers, truths and texts (or None).

    Returns
    -------
    xarray.Dataset
        One dimension, and the order and kinds of the columns in an attribute.
    """
    import xarray as xr

    variables, kinds = {}, {}
    for i, (name, values) in enumerate(frame.items()):
        kind, levels = str(values.dtype), None
        if kind in _TEXTS:
            codes, texts = pd.factorize(values.to_numpy(object))
            held, levels = codes.astype("int32"), texts.tolist()
        elif kind == "Int64":
            held = values.astype(float).to_numpy()
        else:
            held = values.to_numpy().astype("int8") if kind == "bool" else values.to_numpy()
        variables[f"part_{i}"] = ("entry", held)
        kinds[str(name)] = [kind, levels]
    return xr.Dataset(variables, attrs={"columns": json.dumps(kinds)})


_TEXTS = ("object", "str")


def to_frame(dataset: xr.Dataset) -> pd.DataFrame:
    """Restore the frame from the dataset that `to_dataset` made of it."""
    columns = {}
    for i, (name, (kind, levels)) in enumerate(json.loads(dataset.attrs["columns"]).items()):
        held = dataset[f"part_{i}"].to_numpy()
        text = kind in _TEXTS
        held = np.array([*levels, None], object)[held] if text else held
        columns[name] = pd.Series(held, dtype=kind)
    return pd.DataFrame(columns)
