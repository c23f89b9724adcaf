"""The examples of the public functions run, and print what they say they print."""

import doctest
import inspect

import matplotlib.pyplot as plt
import pytest

import mscpool as mp

#: What samples, serves a page or writes many files, what reads as its neighbour does, and answers.
WITHOUT = {
    *("borrowing", "moderators", "heterogeneity", "explore", "publish", "report"),
    *("load_effects", "unanchored_effects", "design.Design", "design.DesignResult"),
}
FINDER = doctest.DocTestFinder(recurse=False)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.FAIL_FAST


def public_names():
    for name in mp.__all__:
        public = getattr(mp, name)
        inner = public.__all__ if inspect.ismodule(public) else ()
        yield from ((f"{name}.{each}", getattr(public, each)) for each in inner)
        if not inner:
            yield name, public


NAMES = dict(public_names())
WITH_EXAMPLES = [name for name, public in NAMES.items() if ">>>" in (public.__doc__ or "")]


def follow(public, name, known):
    """Run the examples of one docstring, and give what is known after them."""
    (example,) = FINDER.find(public, name, globs=known)
    wrong = []
    ran = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=wrong.append, clear_globs=False)
    assert ran.attempted > 0
    assert ran.failed == 0, "".join(wrong)
    return example.globs


@pytest.fixture(scope="module")
def first_lines():
    """What the package's own docstring has made, from which the others go on."""
    return follow(mp, "mscpool", {})


def test_every_main_function_has_an_example():
    without = {*NAMES} - {*WITH_EXAMPLES}
    assert {name for name in without if not name.startswith("plot.")} == WITHOUT


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_example_prints_what_it_says(name, first_lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    follow(NAMES[name], name, dict(first_lines))
    plt.close("all")
