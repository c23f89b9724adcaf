"""Where a fit is kept: its canonical request, and one netCDF file that is old or new, never half.

The request is also the key under which a stored fit is read back instead of being made again.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Collection
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...models.terms import modelled_outcomes

if TYPE_CHECKING:
    from xarray import DataTree

    from ...data.evidence import Evidence
    from ...models.priors import PriorSet

FILE = "fit.nc"
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
    return {
        "data_sha256": evidence.sha256,
        "selection": asdict(evidence.selection),
        "outcomes": list(names),
        "diseases": list(evidence.diseases),
        "model": [asdict(each) for each in modelled_outcomes(evidence.rows, names)],
        "pooling": pooling,
        "priors": priors.to_dict(),
        **settings,
        "versions": {name: version(name) for name in _PACKAGES},
    }


def canonical(config: dict[str, Any]) -> str:
    """Give the one string that stands for a request."""
    return json.dumps(config, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def run_config(fit: DataTree) -> dict[str, Any]:
    """Read what made a fit: data hash, selection, model, priors, settings, versions."""
    return json.loads(fit.attrs["run_config"])


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
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        fit.to_netcdf(temporary, engine="h5netcdf")
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
    ValueError
        No file, a damaged file, or one that mscpool did not write; says which.
    """
    import xarray as xr

    path = file_of(path)
    if not path.is_file():
        raise ValueError(f"{path}: no stored fit here; make one with 'mscpool fit'")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            wanted = [g for g in opened.children if groups is None or g in groups]
            tree = xr.DataTree.from_dict({g: opened[g].to_dataset().load() for g in wanted})
            tree.attrs.update(opened.attrs)
    except (OSError, KeyError, ValueError, RuntimeError) as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise ValueError(
            f"{path}: damaged or not a netCDF file ({reason}); remove it, or fit again with --refit"
        ) from None
    try:
        known = {"data_sha256", "pooling", "engine"} <= run_config(tree).keys()
    except (KeyError, TypeError, ValueError, AttributeError):
        known = False
    if not known:
        raise ValueError(f"{path}: not a fit that mscpool wrote; name another file or folder")
    return tree


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
    ValueError
        A damaged file, or one that mscpool did not write: not ours to replace unasked.
    """
    if not file_of(path).is_file():
        return None
    stored = load(path)
    return stored if stored.attrs["run_config"] == canonical(config) else None
