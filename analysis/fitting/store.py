"""Where a fit is kept: its canonical request, and one netCDF file that is old or new, never half.

The request is also the key under which a stored fit is read back instead of being made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.errors import InputError, OtherDataError, StoredFitError
from ...data.export import write_whole
from ...data.mistakes import shown
from ...models.terms import modelled_outcomes

if TYPE_CHECKING:
    import xarray as xr
    from xarray import DataTree

    from ...data.evidence import Evidence
    from ...models.priors.sets import PriorSet

FILE = "fit.nc"
#: Attribute of the file that holds the hash of each group, as JSON: netCDF has no checksums.
_HASHES = "sha256_of_groups"
_PACKAGES = ("mscpool", "pymc", "nutpie", "arviz", "numpy", "scipy")


def request(evidence: Evidence, pooling: str, priors: PriorSet, **settings: Any) -> dict[str, Any]:
    """Describe everything that a fit follows from, in plain values.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    pooling : str
        How diseases inform each other.
    priors : PriorSet
        The priors.
    **settings
        Engine, draws, tune, chains, seed.

    Returns
    -------
    dict
        Serialises to one canonical string.
    """
    names = evidence.outcome_names
    selection, explaining = asdict(evidence.selection), {}
    if evidence.moderators:
        explaining["moderators"] = [asdict(each) for each in evidence.moderators]
    else:
        del selection["moderators"], selection["at"]
    return {
        "data_sha256": evidence.sha256,
        "selection": selection,
        "outcomes": list(names),
        "diseases": list(evidence.diseases),
        # What an outcome is called is not part of what a fit follows from.
        "model": [
            {"name": each.name, "parent": each.parent, "link": each.link}
            for each in modelled_outcomes(evidence.rows, names)
        ],
        "pooling": pooling,
        "priors": priors.to_dict(),
        **explaining,
        **settings,
        "versions": {name: version(name) for name in _PACKAGES},
    }


def canonical(config: dict[str, Any]) -> str:
    """Give the one string that stands for a request."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def run_config(fit: DataTree) -> dict[str, Any]:
    """Read what made a fit: data hash, selection, model, priors, settings, versions."""
    return json.loads(fit.attrs["run_config"])


def as_result(made: DataTree | str | Path) -> DataTree:
    """Give the fit or effects that a file or a folder holds; a tree stays what it is.

    Raises
    ------
    StoredFitError
        Nothing is stored there.
    InputError
        Something else was given.
    """
    if isinstance(made, str | Path):
        return load(made)
    if "run_config" not in getattr(made, "attrs", {}):
        raise InputError(
            f"fit must be what fit gives, or the file or folder of a stored one, not {shown(made)}"
        )
    return made


def as_fit(fit: DataTree | str | Path) -> DataTree:
    """Give the fit of rates that a file or a folder holds; a fit stays what it is.

    Raises
    ------
    StoredFitError
        No fit is stored there.
    InputError
        Effects, or something else was given.
    """
    made = as_result(fit)
    if "effects" in made.children:
        raise InputError(
            "these are effects: give a fit of rates (of effects see .checked, mp.contrasts, "
            "mp.study_effects, mp.plot.effects_forest)"
        )
    return made


def check_same_data(evidence: Evidence, fits: Sequence[DataTree]) -> None:
    """Refuse fits of other data than an evidence, naming both hashes."""
    for fit in fits:
        sha256 = run_config(fit)["data_sha256"]
        if sha256 != evidence.sha256:
            raise OtherDataError(
                f"the fit is of other data (sha256 {sha256}) than the evidence "
                f"(sha256 {evidence.sha256}): fit this evidence, or name the data of the fit"
            )


def file_of(path: str | Path) -> Path:
    """Give the file of a stored fit: the path itself, or ``fit.nc`` in it where it is a folder."""
    path = Path(path)
    return path / FILE if path.is_dir() else path


def save(fit: DataTree, path: str | Path) -> None:
    """Write a fit as netCDF, atomically: a killed run leaves the old file or the new one.

    Parameters
    ----------
    fit : xarray.DataTree
        The fit.
    path : str or Path
        The file, or a folder to hold ``fit.nc``; the file's folder is made where it is missing.
    """
    path = file_of(path)
    hashes = {name: _hash(group.to_dataset(), fit.attrs) for name, group in fit.children.items()}
    stamped = fit.copy()  # the values are shared
    stamped.attrs[_HASHES] = json.dumps(hashes)
    # In memory first: HDF5 ends the process where it cannot write a file to its end.
    with stamped.to_netcdf(engine="h5netcdf") as content:
        write_whole(content, path)


def load(path: str | Path, groups: Collection[str] | None = None) -> DataTree:
    """Read a stored fit.

    Parameters
    ----------
    path : str or Path
        The file, or the folder that holds ``fit.nc``.
    groups : collection of str, optional
        Names of the groups to read, of those that the fit has; all by default.

    Returns
    -------
    xarray.DataTree
        Wholly in memory: the file is closed.

    Raises
    ------
    StoredFitError
        No file, a damaged file, or one that mscpool did not write; says which.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"a stored fit is named by its file or folder, not {shown(path)}")
    path = file_of(path)
    if not path.is_file():
        raise StoredFitError(f"{path}: no stored fit here; make one with 'mscpool fit'")
    try:
        tree = _read(path, groups)
    except Exception as problem:  # a damaged file makes its readers stumble anywhere
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise StoredFitError(
            f"{path}: damaged or not a netCDF file ({reason}); remove it, or fit again with --refit"
        ) from None
    try:
        known = {"data_sha256", "pooling", "engine"} <= run_config(tree).keys()
    except (KeyError, TypeError, ValueError, AttributeError):
        known = False
    if not known:
        raise StoredFitError(f"{path}: not a fit that mscpool wrote; name another file or folder")
    if wrong := _unlike_written(tree, groups):
        raise StoredFitError(f"{path}: {wrong}; remove it, or fit again with --refit")
    return tree


def _unlike_written(tree: DataTree, groups: Collection[str] | None) -> str:
    """Say where a fit is not what was written; nothing where it is."""
    try:
        hashes = json.loads(tree.attrs.pop(_HASHES)).items()
    except (KeyError, TypeError, ValueError, AttributeError):
        return "damaged or of an older mscpool: it has no hashes of its groups"
    for name, written in hashes:
        if groups is not None and name not in groups:
            continue
        if name not in tree.children or _hash(tree[name].to_dataset(), tree.attrs) != written:
            return f"damaged: its group {name} is not what was written"
    return ""


def _read(path: Path, groups: Collection[str] | None) -> DataTree:
    import h5py
    import xarray as xr

    # What is no HDF5 file at all makes xarray's reader complain once more while it is cleared up.
    with h5py.File(path, "r") as file:
        inside = [name for name in file if isinstance(file[name], h5py.Group)]
    wanted = [name for name in inside if groups is None or name in groups]
    with xr.open_dataset(path, engine="h5netcdf") as root:
        attributes = root.attrs
    read = {}
    # One by one: the reader of trees looks at every group, also at those that nobody asked for.
    for group in wanted:
        with xr.open_dataset(path, engine="h5netcdf", group=group) as opened:
            read[group] = opened.load()
    tree = xr.DataTree.from_dict(read)
    tree.attrs.update(attributes)
    return tree


def _hash(group: xr.Dataset, of_fit: Mapping[Any, Any]) -> str:
    """Hash what a group holds, and the attributes of the fit, as they are after a reading too."""
    digest = hashlib.sha256(_plain(of_fit))
    digest.update(_plain(group.attrs))
    for name in sorted(map(str, group.variables)):
        variable = group.variables[name]
        values = np.asarray(variable.values)
        if not values.size:  # a file keeps no type of what is empty
            values = values.astype(float)
        if values.dtype.kind in "OUST":
            values = np.array(json.dumps([str(each) for each in values.ravel().tolist()]))
        about = [name, [str(dim) for dim in variable.dims], list(variable.shape), values.dtype.kind]
        digest.update(json.dumps(about).encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _plain(attributes: Mapping[Any, Any]) -> bytes:
    plain = {str(name): np.asarray(value).tolist() for name, value in attributes.items()}
    return json.dumps(plain, sort_keys=True).encode()


def read_back(config: dict[str, Any], path: str | Path) -> DataTree | None:
    """Read a stored fit where it answers this very request.

    Parameters
    ----------
    config : dict
        What is wanted, as `request` gives it.
    path : str or Path
        The file, or the folder that holds ``fit.nc``; neither need exist.

    Returns
    -------
    xarray.DataTree or None
        None where nothing is stored, or the answer to another request.

    Raises
    ------
    StoredFitError
        A damaged file, or one that mscpool did not write: not ours to replace unasked.
    """
    if not file_of(path).is_file():
        return None
    stored = load(path)
    return stored if stored.attrs["run_config"] == canonical(config) else None
