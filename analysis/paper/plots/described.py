"""The documentation of a figure's function: each parameter that several share is described once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..words.exhibit import FigureKind

_PARAMETERS = {
    "fit": (
        "xarray.DataTree, str or Path",
        "What `fit` gives, or the file or folder of a stored fit.",
    ),
    "fits": (
        "mapping of str to xarray.DataTree, or sequence of xarray.DataTree",
        "Fits of the same evidence, two or more, each with another pooling; ``checked`` is of the "
        "last.",
    ),
    "effects": (
        "xarray.DataTree, str or Path",
        "What `effects` gives, or the file or folder of stored ones.",
    ),
    "outcome": ("str, optional", "Which; the first if left out."),
    "moderator": ("str, optional", "Which number; the first if left out."),
    "comparison": ("PriorComparison", "What `compare_priors` gives for the same data."),
    "borrowed": ("Borrowing", "What `borrowing` gives for the fit."),
    "asked": ("DesignResult", "What `design.next` gives for the fit."),
    "evidence": (
        "Evidence, str, Path or DataFrame, optional",
        "What the fit, effects or comparison are of, where that is not the shipped evidence; of a\n"
        "        figure of evidence alone, what is drawn.",
    ),
    "checked": (
        "CheckResult",
        "What `check` says of the fit; left out, the figure says that the guard has not seen it.",
    ),
    "preset": (
        '{"single", "double", "slide"}, or one of them with "-dark"',
        "The page, on white or on dark paper.",
    ),
}


def described[Drawn: Callable[..., Figure]](
    kind: FigureKind, raises: str = "", summary: str | None = None
) -> Callable[[Drawn], Drawn]:
    """Give a function that draws a kind of figure its name and its documentation.

    Parameters
    ----------
    kind : FigureKind
        Its name becomes the function's.
    raises : str
        What is refused with an InputError.
    summary : str, optional
        What it draws, in a sentence; the function's own documentation if left out.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    KeyError
        A parameter that is not described here.
    """

    def decorated(drawn: Drawn) -> Drawn:
        parts = [summary or inspect.getdoc(drawn) or "", "", *_section("Parameters")]
        for name, given in inspect.signature(drawn).parameters.items():
            kinds, text = _PARAMETERS[name]
            if given.default is None and not kinds.endswith("optional"):
                kinds += ", optional"
            parts += [f"    {name} : {kinds}", f"        {text}"]
        parts += ["", *_section("Returns"), "    matplotlib.figure.Figure"]
        if raises:
            parts += ["", *_section("Raises"), "    InputError", f"        {raises}"]
        drawn.__doc__ = "\n".join([*parts, "    "])
        drawn.__name__ = drawn.__qualname__ = kind.name
        return drawn

    return decorated


def _section(title: str) -> list[str]:
    return [f"    {title}", f"    {'-' * len(title)}"]
