"""Machine code of the sampler's callbacks, kept between processes so that it compiles once.

nutpie wraps PyTensor's functions in two C callbacks. Numba could keep them on disk, but its key of
such a callback holds names that are drawn anew in every process, so that it never finds them again.
Here the key is what the code follows from: PyTensor's hash of the graph (operations, their sources,
constants, ranks), the sizes that nutpie writes into the callback, the processor and the versions.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

from ...data.cache import cache_folder
from ...data.export import write_whole

if TYPE_CHECKING:
    import pymc as pm

#: Libraries whose version is part of the key.
_LIBRARIES = ("llvmlite", "numba", "numpy", "nutpie", "pymc", "pytensor")
#: Bytes that all kept code may take; the longest unused goes first.
LARGEST_STORE = 200_000_000
#: Relative difference from PyTensor's own log density that rounding explains: sums of some hundred
#: terms, in another order.
_ROUNDING = 1e-9


class NotKept(UserWarning):
    """Compiled code could not be kept or used again; the fit is right, but takes longer."""


def folder() -> Path:
    """Give the folder of kept code."""
    return cache_folder() / "compiled"


def clear() -> None:
    """Remove all kept code."""
    for path in folder().glob("*.code"):
        path.unlink(missing_ok=True)


def nutpie_without_plots() -> Any:
    """Import nutpie with ArviZ's base, of which it takes two functions, in ArviZ's place.

    ArviZ as a whole imports Matplotlib.
    """
    import arviz_base

    if {"nutpie", "arviz"} & sys.modules.keys():
        import nutpie
    else:
        sys.modules["arviz"] = arviz_base
        try:
            import nutpie
        finally:
            del sys.modules["arviz"]
    return nutpie


def compile_model(model: pm.Model) -> Any:
    """Compile a model for nutpie, or load what an earlier process compiled.

    Parameters
    ----------
    model : pymc.Model
        Its free variables are unconstrained, and it stores nothing but them.

    Returns
    -------
    nutpie.compiled_pymc.CompiledPyMCModel
        Loaded code has been compared with PyTensor's own value of the log density.
    """
    nutpie = nutpie_without_plots()
    names = [each.name for each in model.free_RVs]
    try:
        with _kept_callbacks() as loaded:
            compiled = nutpie.compile_pymc_model(model, var_names=names, cache=True)
    except (AttributeError, ImportError, TypeError) as changed:
        warnings.warn(f"compiled code is not kept between runs: {changed}", NotKept, stacklevel=2)
        return nutpie.compile_pymc_model(model, var_names=names)
    if loaded and not agrees(model, compiled):
        for path in loaded:
            path.unlink(missing_ok=True)
        warnings.warn("kept code did not fit the model: compiled anew", NotKept, stacklevel=2)
        return nutpie.compile_pymc_model(model, var_names=names)
    return compiled


def agrees(model: pm.Model, compiled: Any) -> bool:
    """Whether compiled code gives PyTensor's own log density, and the variables as they are."""
    from pytensor.compile.mode import Mode

    point = np.linspace(-1.0, 1.0, compiled.n_dim)
    given: Any = model.data_vars
    for data in given:
        # As nutpie lays data out: Numba would compile the operations again for other layouts.
        laid_out = np.require(data.get_value(borrow=True), requirements=["C", "W"])
        data.set_value(laid_out, borrow=True)
    plain: Any = Mode(linker="py", optimizer="None")
    interpreted = model.compile_logp(mode=plain)
    names, places, shapes = compiled.shape_info
    own = interpreted(
        {
            name: point[place].reshape(shape)
            for name, place, shape in zip(names, places, shapes, strict=True)
        }
    )
    density, expanded = _called(compiled, point)
    return bool(np.isclose(density, own, rtol=_ROUNDING, atol=0) and (expanded == point).all())


def _called(compiled: Any, point: np.ndarray) -> tuple[float, np.ndarray]:
    """Call both callbacks as nutpie does: the log density and the stored variables at a point."""
    from ctypes import POINTER, c_double

    def address(values: np.ndarray) -> Any:
        return values.ctypes.data_as(POINTER(c_double))

    slopes, expanded, density = np.empty_like(point), np.empty(compiled.n_expanded), np.empty(1)
    data = compiled.user_data.ctypes.data
    failed = compiled.compiled_logp_func.ctypes(
        len(point), address(point), address(slopes), address(density), data
    )
    failed |= compiled.compiled_expand_func.ctypes(
        len(point), len(expanded), address(point), address(expanded), data
    )
    return (np.nan if failed else float(density[0])), expanded


@contextmanager
def _kept_callbacks() -> Iterator[list[Path]]:
    """Let Numba find nutpie's callbacks in our folder.

    Yields
    ------
    list of Path
        Filled with the files that were loaded.
    """
    from numba.core.ccallback import CFunc
    from nutpie import compile_pymc

    keys: dict[Callable[..., Any], str | None] = {}
    loaded: list[Path] = []

    def noting_key(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any) -> tuple[Callable[..., Any], Any]:
            function, signature = make(*arguments)
            keys[function] = _key(make.__name__, *arguments)
            return function, signature

        return made

    def keep(callback: Any) -> None:
        key = keys.get(callback._pyfunc)
        if key is not None:
            callback._cache = _Store(folder() / f"{key}.code", loaded)

    with ExitStack() as replaced:
        replaced.enter_context(patch.object(CFunc, "enable_caching", keep))
        for name in ("_make_c_logp_func", "_make_c_expand_func"):
            noting = noting_key(getattr(compile_pymc, name))
            replaced.enter_context(patch.object(compile_pymc, name, noting))
        yield loaded


def _key(maker: str, *arguments: Any) -> str | None:
    """Hash all that a callback's code follows from; None where PyTensor has no hash of its graph.

    ``arguments`` are those of nutpie's maker: sizes, the function, and the data that it reads.
    """
    from numba.core.registry import cpu_target
    from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

    *sizes, function, _, names, data = arguments
    context: Any = cpu_target.target_context
    graph = CACHED_SRC_FUNCTIONS.get(function.py_func)
    if graph is None:
        return None
    about = (
        maker,
        graph,
        sizes,
        [(str(data[name].dtype), data[name].ndim) for name in names],
        [(str(each.dtype), each.ndim) for each in data.values()],
        context.codegen().magic_tuple(),
        [(name, version(name)) for name in _LIBRARIES],
        (platform.python_implementation(), sys.version_info[:3]),
    )
    return hashlib.sha256(repr(about).encode()).hexdigest()


class _Store:
    """One callback's file, in the form that Numba wants of a cache.

    The file starts with the hash of the rest: a damaged one is never unpickled.
    """

    def __init__(self, path: Path, loaded: list[Path]) -> None:
        self.path, self.loaded = path, loaded

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Read the code; None where there is none, or not all of it."""
        from numba.core.compiler import CompileResult

        try:
            content = self.path.read_bytes()
            os.utime(self.path)
        except OSError:
            return None
        digest, code = content[:32], content[32:]
        if hashlib.sha256(code).digest() != digest:
            return None
        context.refresh()
        self.loaded.append(self.path)
        return CompileResult._rebuild(context, *pickle.loads(code))

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Write the code whole; where the folder cannot be written, say so."""
        from numba.core.serialize import dumps

        code = dumps(compiled._reduce())
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(hashlib.sha256(code).digest() + code, self.path)
            _remove_longest_unused(self.path.parent)
        except OSError as refused:
            reason = f"compiled code is not kept in {self.path.parent}: {refused.strerror}"
            warnings.warn(reason, NotKept, stacklevel=2)


def _remove_longest_unused(place: Path) -> None:
    files = [(path.stat(), path) for path in place.glob("*.code")]
    total = sum(status.st_size for status, _ in files)
    for status, path in sorted(files, key=lambda file: file[0].st_mtime):
        if total <= LARGEST_STORE:
            return
        path.unlink(missing_ok=True)
        total -= status.st_size
