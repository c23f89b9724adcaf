"""What tests share: integrals that hang on the evidence, not on the drawing, and stored fits."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from mscpool.analysis.fitting import store
from mscpool.analysis.paper.frames import cumulative, effects, later, unseen
from mscpool.models.exact import outcomes


def _kept(function: Callable) -> Callable:
    """Keep the answers of a function, for as long as the questions are kept."""
    answers: dict[Any, Any] = {}

    def answer(*given):
        key = tuple(map(_key, given))
        if key not in answers:
            answers[key] = given, function(*given)
        return answers[key][1]

    return answer


def _key(value: Any) -> Any:
    """Tell questions apart: by value, and what has none by the object itself."""
    if isinstance(value, list | dict):
        return repr(value)
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


_KEPT = [
    (module, name, _kept(getattr(module, name)))
    for module, name in (
        (effects, "compared_sets"),
        (cumulative, "grown"),
        (later, "later_studies"),
        (unseen, "missing"),
        (outcomes, "exact_outcomes"),
    )
]


@pytest.fixture(scope="module", autouse=True)
def integrated_once():
    """Let what integrates for figures and pages answer the same question from memory."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, kept in _KEPT:
            patch.setattr(module, name, kept)
        yield


def _kept_by_content(read: Callable) -> Callable:
    """Keep the fits that were read, by the bytes of their files."""
    fits: dict[Any, Any] = {}

    def answer(path, groups):
        key = sha256(path.read_bytes()).digest(), groups and tuple(groups)
        if key not in fits:
            fits[key] = read(path, groups)
        return fits[key].copy()  # the values are shared

    return answer


_read_once = _kept_by_content(store._read)


@pytest.fixture(scope="module", autouse=True)
def fits_read_once():
    """Read no stored fit a second time, wherever its file lies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_read", _read_once)
        yield
