"""Comparisons of priors, and what diseases borrow, kept beside the fit that they were made from.

Both are frames; a tree of them is stored as a fit is, under the request that it answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ...models.priors.sets import PriorSet
from ..fitting import store
from ..fitting.progress import Progress
from .borrowing import Borrowing, borrowing
from .compare import PriorComparison, compare_priors
from .questions import CONFIDENCE

if TYPE_CHECKING:
    import xarray as xr
    from xarray import DataTree

    from ...data.evidence import Evidence

COMPARISON_FILE, BORROWING_FILE = "priors.nc", "borrowing.nc"

_FRAMES = (
    "rates", "hyper", "before", "methods", "scores", "densities", "power_scaling", "conflicts",
    "flips", "flip_map",
)  # fmt: skip
#: Of two requests, what must be the same for one to speak of the other's data and model.
_SAME = ("data_sha256", "selection", "outcomes", "diseases", "model", "pooling")


def compared(
    evidence: Evidence,
    fit: DataTree | None,
    sets: Sequence[PriorSet],
    settings: Mapping[str, Any],
    folder: Path,
    threshold: float | Literal["usual"] = "usual",
    confidence: float = CONFIDENCE,
    progress: Progress | None = None,
) -> PriorComparison:
    """Compare prior sets and keep what was found; an identical request is read back.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    fit : DataTree or None
        Its fit, whose draws are re-weighted.
    sets : sequence of PriorSet
        What is compared, the reference first.
    settings : mapping
        Pooling, engine, draws, tune, chains, seed, refit, as of a fit; refits are shorter.
    folder : Path
        Where the comparison is kept.
    threshold, confidence, progress
        As in `compare_priors`.

    Returns
    -------
    PriorComparison
    """
    asked = {**settings, "threshold": threshold, "confidence": confidence}
    # A set that has to be refitted states its errors: it may be shorter than the fit itself.
    asked |= {"draws": max(3 * settings["draws"] // 4, 1), "tune": max(settings["tune"] // 2, 1)}
    config = comparison_request(evidence, fit, sets, **asked)
    kept = None if settings["refit"] else kept_comparison(folder, config)
    if kept is not None:
        return kept
    found = compare_priors(evidence, list(sets), fits=fit, progress=progress, **asked)
    keep_comparison(found, config, folder)
    return found


def borrowed(
    evidence: Evidence,
    fit: DataTree,
    settings: Mapping[str, Any],
    folder: Path,
    progress: Progress | None = None,
) -> Borrowing | None:
    """Find what diseases borrow and keep it; what was found of this very fit is read back.

    Parameters
    ----------
    evidence, fit, settings, folder, progress
        As in `compared`.

    Returns
    -------
    Borrowing or None
        None where nothing can be borrowed or the fit has no draws.
    """
    if len(evidence.diseases) < 2 or store.run_config(fit)["engine"] != "nuts":
        return None
    asked = {"draws": max(settings["draws"] // 2, 1), "tune": max(settings["tune"] // 2, 1)}
    asked |= {name: settings[name] for name in ("chains", "seed")}
    config = borrowing_request(fit, **{f"refit_{name}": value for name, value in asked.items()})
    kept = None if settings["refit"] else kept_borrowing(folder, config)
    if kept is not None:
        return kept
    found = borrowing(evidence, fit, progress=progress, **asked)
    keep_borrowing(found, config, folder)
    return found


def comparison_request(
    evidence: Evidence, fit: DataTree | None, sets: Sequence[PriorSet], **asked: Any
) -> dict[str, Any]:
    """Describe everything that a comparison of priors follows from; arguments as of `compared`."""
    settings = {name: asked[name] for name in ("engine", "draws", "tune", "chains", "seed")}
    base = store.request(evidence, asked["pooling"], sets[0], **settings)
    own = None if fit is None else store.run_config(fit)
    about = {"sets": [each.to_dict() for each in sets], "fit": own}
    return base | about | {name: asked[name] for name in ("threshold", "confidence", "refit")}


def borrowing_request(fit: DataTree, **settings: Any) -> dict[str, Any]:
    """Describe everything that a finding of what diseases borrow follows from."""
    return {**store.run_config(fit), "left_out": "every study and every disease", **settings}


def keep_comparison(found: PriorComparison, config: dict[str, Any], folder: Path) -> None:
    """Write a comparison into a folder, whole."""
    about = {
        "reference": found.reference,
        "sets": [each.to_dict() for each in found.sets],
        "run": found.run,
        "messages": list(found.messages),
    }
    frames = {name: getattr(found, name) for name in _FRAMES}
    _keep(frames, about, config, folder / COMPARISON_FILE)


def keep_borrowing(found: Borrowing, config: dict[str, Any], folder: Path) -> None:
    """Write what diseases borrow into a folder, whole."""
    frames = {"diseases": found.diseases, "influence": found.influence}
    _keep(frames, {}, config, folder / BORROWING_FILE)


def kept_comparison(folder: Path, config: dict[str, Any]) -> PriorComparison | None:
    """Read a comparison that answers a request; None where there is none."""
    tree = _kept(folder / COMPARISON_FILE)
    same = tree is not None and tree.attrs["run_config"] == store.canonical(config)
    return _comparison(tree) if tree is not None and same else None


def kept_borrowing(folder: Path, config: dict[str, Any]) -> Borrowing | None:
    """Read what diseases borrow, of this very fit; None where it is not there."""
    tree = _kept(folder / BORROWING_FILE)
    same = tree is not None and tree.attrs["run_config"] == store.canonical(config)
    return _borrowing(tree) if tree is not None and same else None


def comparison_of(folder: Path, fit: DataTree) -> PriorComparison | None:
    """Read the comparison kept in a folder, if it is of a fit's data, model and pooling."""
    tree = _kept(folder / COMPARISON_FILE)
    if tree is None:
        return None
    mine, own = store.run_config(tree), store.run_config(fit)
    same = all(mine.get(name) == own.get(name) for name in _SAME)
    return _comparison(tree) if same else None


def borrowing_of(folder: Path, fit: DataTree) -> Borrowing | None:
    """Read what diseases borrow, if it was found from this very fit."""
    tree = _kept(folder / BORROWING_FILE)
    if tree is None:
        return None
    mine, own = store.run_config(tree), store.run_config(fit)
    return _borrowing(tree) if {**mine, **own} == mine else None


def _keep(frames: Mapping[str, pd.DataFrame], about: Mapping[str, Any], config, path: Path) -> None:
    import xarray as xr

    tree = xr.DataTree.from_dict({name: to_dataset(frame) for name, frame in frames.items()})
    tree.attrs.update(run_config=store.canonical(config), about=json.dumps(about))
    store.save(tree, path)


def _kept(path: Path) -> DataTree | None:
    """Read a file of ours; None where it is missing, damaged or of something else."""
    try:
        tree = store.load(path)
    except ValueError:
        return None
    return tree if "about" in tree.attrs else None


def _comparison(tree: DataTree) -> PriorComparison:
    about = json.loads(tree.attrs["about"])
    return PriorComparison(
        reference=about["reference"],
        sets=tuple(PriorSet.from_dict(each) for each in about["sets"]),
        **{name: to_frame(tree[name].to_dataset()) for name in _FRAMES},
        run=about["run"],
        messages=tuple(about["messages"]),
    )


def _borrowing(tree: DataTree) -> Borrowing:
    return Borrowing(
        *(to_frame(tree[name].to_dataset()) for name in ("diseases", "influence")),
    )


def to_dataset(frame: pd.DataFrame) -> xr.Dataset:
    """Turn a frame into what netCDF holds: texts as codes, whole numbers that may miss as numbers.

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

    made, kinds = {}, {}
    for i, (name, values) in enumerate(frame.items()):
        kind, levels = str(values.dtype), None
        if kind in _TEXTS:
            held, found = pd.factorize(values.to_numpy(object))
            held, levels = held.astype("int32"), found.tolist()
        elif kind == "Int64":
            held = values.astype(float).to_numpy()
        else:
            held = values.to_numpy().astype("int8") if kind == "bool" else values.to_numpy()
        made[f"part_{i}"] = ("entry", held)
        kinds[str(name)] = [kind, levels]
    return xr.Dataset(made, attrs={"columns": json.dumps(kinds)})


_TEXTS = ("object", "str")


def to_frame(dataset: xr.Dataset) -> pd.DataFrame:
    """Turn what `to_dataset` gives back into the frame."""
    columns = {}
    for i, (name, (kind, levels)) in enumerate(json.loads(dataset.attrs["columns"]).items()):
        held = dataset[f"part_{i}"].to_numpy()
        text = kind in _TEXTS
        held = np.array([*levels, None], object)[held] if text else held
        columns[name] = pd.Series(held, dtype=kind)
    return pd.DataFrame(columns)
