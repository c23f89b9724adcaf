"""Sentences about what is wrong: a text as it stands, names in a line, an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from functools import lru_cache

from .errors import InputError

# Listing a thousand names, or measuring a wrong one against each, helps nobody.
_NAMES_LISTED = 40
_NAMES_COMPARED = 400


def shown(text: object) -> str:
    """Quote what was given for a message: one line, nothing unprintable, not too long."""
    if isinstance(text, str):
        return repr(text if len(text) <= 60 else text[:57] + "...")
    told = " ".join(repr(text).split())
    return told if len(told) <= 60 else told[:57] + "..."


def listed(names: Collection[str]) -> str:
    """Names in one line, the first few where there are many."""
    first = [name if name.isprintable() else shown(name) for name in list(names)[:_NAMES_LISTED]]
    rest = len(names) - len(first)
    return ", ".join(first) + (f" and {rest} more" if rest else "")


def unknown_name(name: object, valid: Iterable[str], what: str) -> str:
    """Say that a name is unknown, which one is nearest, and which are valid.

    Parameters
    ----------
    name : object
        What was given; a text, unless somebody gave something else.
    valid : iterable of str
        The names that there are.
    what : str
        What it is a name of.

    Returns
    -------
    str
        One line.
    """
    return _unknown(str(name), shown(name), tuple(valid), what)


def one_of(name: object, valid: Collection[str], what: str) -> str:
    """Give a name that is valid.

    Parameters
    ----------
    name, valid, what
        As for `unknown_name`.

    Returns
    -------
    str
        The name.

    Raises
    ------
    InputError
        It is none of them, whatever else was given.
    """
    if not isinstance(name, str) or name not in valid:
        raise InputError(unknown_name(name, valid, what))
    return name


@lru_cache(maxsize=4096)
def _unknown(name: str, quoted: str, valid: tuple[str, ...], what: str) -> str:
    near = difflib.get_close_matches(name, valid[:_NAMES_COMPARED], n=1, cutoff=0.6)
    if not near:
        folded = {v.casefold(): v for v in valid}
        near = [folded[name.casefold()]] if name.casefold() in folded else []
    suggestion = f"; did you mean {near[0]}?" if near else ";"
    return f"unknown {what} {quoted}{suggestion} valid: {listed(valid)}"
