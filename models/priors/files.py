"""Prior sets as users name them: by a name of the catalogue, or as the text of a prior file."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...data.errors import InputError
from ...data.mistakes import shown
from ...data.text_files import text_of
from .catalogue import CATALOGUE, named_set
from .sets import PriorSet

#: Signs that a name has not and a text in TOML has.
_TOML = ("\n", "=", "[")


def prior_set(
    named: str | Path | PriorSet, source: str = "", outcomes: tuple[str, ...] | None = None
) -> PriorSet:
    """Give the prior set that a name, a prior file or its text stands for.

    Parameters
    ----------
    named : str, Path or PriorSet
        A name of the catalogue, a prior file (`.toml`), or the text of one; a set stays what it is.
    source : str
        Name of the file that a text comes from, for messages, and the set's name where the text
        gives none; with it every text is taken for that of a file.
    outcomes : tuple of str, optional
        Names that ``[outcome.NAME]`` may take; any where left out.

    Returns
    -------
    PriorSet
        The checked set.

    Raises
    ------
    InputError
        An unknown name, with the valid ones; or all that is wrong in a text, a line each: the file,
        where in it, what is wrong, what would be right.

    Examples
    --------
    >>> narrow = mp.prior_set('''
    ... name = "narrow"
    ... [tau]
    ... dist = "HalfNormal"
    ... sigma = 0.5
    ... ''')
    >>> print(narrow.tau)
    HalfNormal(sigma=0.5)
    """
    if isinstance(named, PriorSet):
        return named
    told = prior_text(named, source)
    return named_set(str(named)) if told is None else _parsed(*told, outcomes)


def prior_text(named: object, source: str = "") -> tuple[str, str] | None:
    """Give the text of a prior file and what it is called in messages; None of a mere name.

    Parameters
    ----------
    named : str or Path
        A name, a prior file (`.toml`), or the text of one.
    source : str
        Name of the file that a text comes from; with it every text is taken for that of a file.

    Raises
    ------
    InputError
        Something else, or a file that cannot be read.
    """
    if not isinstance(named, str | Path):
        raise InputError(f"priors must be a name, a prior file or its text, not {shown(named)}")
    if isinstance(named, Path) or (named.endswith(".toml") and "\n" not in named):
        return text_of(Path(named)), source or str(named)
    if source or any(sign in named for sign in _TOML):
        return named, source or "prior file"
    return None


def _parsed(text: str, source: str, outcomes: tuple[str, ...] | None) -> PriorSet:
    try:
        table = tomllib.loads(text)
    except ValueError as problem:
        raise InputError(f"{source}: not TOML: {problem}") from None
    except RecursionError:
        raise InputError(f"{source}: not a prior file: it nests too deeply") from None
    try:
        made = PriorSet.from_dict({"name": source, **table}, outcomes)
        if made.name in CATALOGUE and made != CATALOGUE[made.name]:
            raise InputError(f"name: '{made.name}' is a set of the catalogue: give yours another")
        return made
    except InputError as wrong:
        lines = str(wrong).splitlines()
        raise InputError("\n".join(f"{source}: {line}" for line in lines)) from None


def prior_file(priors: PriorSet) -> str:
    """Write a prior set as the text of a prior file; `prior_set` reads it back unchanged.

    Parameters
    ----------
    priors : PriorSet
        The set.

    Returns
    -------
    str
        TOML, every number with all its digits.
    """
    return "\n\n".join(_tables(priors.to_dict(), ())) + "\n"


def _tables(table: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    """Write the values of a table below its head, and then the tables within it."""
    values = [f"{k} = {_value(v)}" for k, v in table.items() if not isinstance(v, Mapping)]
    head = [f"[{'.'.join(_key(part) for part in place)}]"] if place else []
    written = ["\n".join([*head, *values])] if values else []
    for name, inside in table.items():
        if isinstance(inside, Mapping):
            written += _tables(inside, (*place, name))
    return written


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: str | float) -> str:
    # A string of JSON is one of TOML, but for the character that JSON need not escape.
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f") if isinstance(value, str) else text
