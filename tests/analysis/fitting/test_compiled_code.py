"""Compiled code is found again, never taken for another model's, and never trusted when damaged."""

import hashlib
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numba
import numpy as np
import nutpie.compile_pymc
import pandas as pd
import pytest
from numba.core.ccallback import CFunc
from numba.core.compiler import CompileResult
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

from mscpool.analysis.fitting import compiled_code
from mscpool.models.priors.sets import DEFAULT
from mscpool.models.sampled import operations
from mscpool.models.sampled.hierarchy import hierarchy
from mscpool.models.terms import build_terms


def rows(diseases=("a", "b"), outcome="response", months=np.nan) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "study": [f"s{i}" for i in range(len(diseases))],
            "disease": diseases,
            "arm": "msc",
            "outcome": outcome,
            "events_min": 2,
            "events_max": 2,
            "n": 10,
            "months": months,
        }
    )


def model(table=None, pooling="partial"):
    table = rows() if table is None else table
    outcomes = tuple(dict.fromkeys(table["outcome"]))
    diseases = tuple(dict.fromkeys(table["disease"]))
    return hierarchy(build_terms(table, outcomes, diseases), pooling, DEFAULT)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MSCPOOL_CACHE", str(tmp_path))
    return tmp_path / "compiled"


@pytest.fixture
def keys_of(monkeypatch):
    """Give the keys of a model's two callbacks, without compiling them."""
    monkeypatch.setattr(numba, "cfunc", lambda signature, **options: lambda function: function)
    key, noted = compiled_code._key, []

    def note(*arguments):
        noted.append(key(*arguments))
        return noted[-1]

    monkeypatch.setattr(compiled_code, "_key", note)

    def keys(built) -> tuple[str, ...]:
        noted.clear()
        compiled_code.compile_model(built)
        return tuple(noted)

    return keys


def test_the_names_that_the_cache_relies_on_are_there():
    assert callable(nutpie.compile_pymc._make_c_logp_func)
    assert callable(nutpie.compile_pymc._make_c_expand_func)
    assert callable(CFunc.enable_caching)
    assert callable(CompileResult._reduce)
    assert callable(CompileResult._rebuild)
    assert hasattr(CACHED_SRC_FUNCTIONS, "get")


def test_one_structure_has_one_key_whatever_its_counts(keys_of):
    first = keys_of(model())
    assert None not in first
    assert len(set(first)) == 2
    assert keys_of(model(rows().assign(events_min=7, events_max=7, n=31))) == first


def test_no_two_models_share_a_key(keys_of, monkeypatch):
    tables = {
        "two diseases": model(),
        "three diseases": model(rows(("a", "b", "c"))),
        "two studies of one disease": model(rows(("a", "a", "b"))),
        "two outcomes": model(pd.concat([rows(), rows(outcome="other")])),
    }
    poolings = {name: model(pooling=name) for name in ("complete", "none", "exnex", "robust")}
    found = {name: keys_of(built) for name, built in (tables | poolings).items()}
    monkeypatch.setattr(operations, "_SOURCE", operations._SOURCE + 1)
    found["another text of the operations"] = keys_of(model())
    monkeypatch.setattr(compiled_code, "version", lambda name: "0")
    found["other versions"] = keys_of(model())
    densities = [density for density, _ in found.values()]
    assert len(set(densities)) == len(found)


@pytest.fixture(scope="module")
def stored():
    """Files of the code of one model, where every process of this user keeps it."""
    key, noted = compiled_code._key, []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_code, "_key", lambda *about: noted.append(key(*about)) or noted[-1])
        compiled_code.compile_model(model())
    return [compiled_code.folder() / f"{each}.code" for each in noted]


@pytest.fixture
def kept(stored, cache):
    """A folder with copies of them, which a test may spoil."""
    cache.mkdir()
    for path in stored:
        (cache / path.name).write_bytes(path.read_bytes())
    return cache


@pytest.fixture
def compilations(monkeypatch):
    """Names of the callbacks that are compiled and not loaded."""
    names, compile_uncached = [], CFunc._compile_uncached

    def noted(self):
        names.append(self.__name__)
        return compile_uncached(self)

    monkeypatch.setattr(CFunc, "_compile_uncached", noted)
    return names


@pytest.mark.mcmc
def test_code_is_loaded_and_gives_the_density(kept, compilations):
    built = model()
    assert compiled_code.agrees(built, compiled_code.compile_model(built))
    assert not compilations


@pytest.mark.mcmc
@pytest.mark.slow
def test_a_truncated_file_costs_a_compilation_and_no_word(kept, compilations):
    for path in kept.glob("*.code"):
        path.write_bytes(path.read_bytes()[:-100])
    built = model()
    assert compiled_code.agrees(built, compiled_code.compile_model(built))
    assert sorted(compilations) == ["expand_numba", "logp_numba"]
    for path in kept.glob("*.code"):
        content = path.read_bytes()
        assert hashlib.sha256(content[32:]).digest() == content[:32]


def test_code_of_another_density_is_refused_removed_and_compiled_anew(tmp_path, monkeypatch):
    wrong = tmp_path / "wrong.code"
    wrong.touch()
    compiled = iter(["loaded", "anew"])
    monkeypatch.setattr(nutpie, "compile_pymc_model", lambda *_, **__: next(compiled))
    monkeypatch.setattr(compiled_code, "_kept_callbacks", lambda: nullcontext([wrong]))
    monkeypatch.setattr(compiled_code, "agrees", lambda *_: False)
    with pytest.warns(compiled_code.NotKept, match="did not fit the model: compiled anew"):
        assert compiled_code.compile_model(model()) == "anew"
    assert not wrong.exists()


def test_a_sampler_that_changed_compiles_as_without_the_store_and_says_so(monkeypatch):
    monkeypatch.delattr(nutpie.compile_pymc, "_make_c_expand_func")
    monkeypatch.setattr(nutpie, "compile_pymc_model", lambda *_, **__: "anew")
    with pytest.warns(compiled_code.NotKept, match="not kept between runs: .*_make_c_expand_func"):
        assert compiled_code.compile_model(model()) == "anew"


@pytest.mark.mcmc
def test_a_density_that_differs_does_not_agree(kept):
    compiled = compiled_code.compile_model(model())
    assert not compiled_code.agrees(model(rows().assign(events_min=3, events_max=3)), compiled)


class Compiled:
    """Stands for what Numba hands to a cache."""

    def _reduce(self):
        return ("code",)


def test_a_folder_that_cannot_be_written_is_said_and_nothing_else():
    store = compiled_code._Store(Path("/dev/null/some.code"), [])
    assert store.load_overload(None, None) is None
    with pytest.warns(compiled_code.NotKept, match="not kept in /dev/null: "):
        store.save_overload(None, Compiled())


def test_the_store_drops_what_was_unused_longest(kept, monkeypatch):
    largest = max(path.stat().st_size for path in kept.glob("*.code"))
    monkeypatch.setattr(compiled_code, "LARGEST_STORE", largest)
    compiled_code._remove_longest_unused(kept)
    assert len(list(kept.glob("*.code"))) == 1
    compiled_code.clear()
    assert not list(kept.glob("*.code"))


def test_sampling_imports_no_plots_and_leaves_arviz_whole():
    code = (
        "import sys, pymc;"
        "from mscpool.analysis.fitting.compiled_code import nutpie_without_plots;"
        "nutpie_without_plots().sample; print('matplotlib' in sys.modules);"
        "import arviz; print(hasattr(arviz, 'plot_forest'))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]
