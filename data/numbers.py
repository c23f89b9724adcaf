"""Numbers as people and spreadsheets write them, and what was probably meant by what is none."""

from __future__ import annotations

import re

from .names import numbered

_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_SIGNED = re.compile(r"-[0-9]+(\.[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")
# Other programs write whole numbers as 3.0; 3.000 may as well be three thousand.
_WHOLE = re.compile(r"([0-9]+)(?:\.0+)?")
_GROUPED = re.compile(r"-?[0-9]{1,3}([., '’][0-9]{3})+")
_PERCENT = re.compile(r"([0-9]+(?:[.,][0-9]+)?) ?%")
_SHARE = re.compile(r"0?[.,][0-9]+")
_FRACTION = re.compile(r"([0-9]+) ?(?:/|of|von|sur|out of) ?([0-9]+)")
_WITH_PERCENT = re.compile(r"([0-9]+) ?\([0-9]+(?:[.,][0-9]+)? ?%?\)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]{1,2}-[A-Za-z]{3}|[A-Za-z]{3}-[0-9]{2}")


def with_point(text: str, decimal_comma: bool) -> str:
    """Write a number with a decimal point where its table has decimal commas."""
    if decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        return text.replace(",", ".")
    return text


def is_decimal(text: str) -> bool:
    """Tell whether a text is digits, perhaps with a decimal point."""
    return bool(_DECIMAL.fullmatch(text))


def is_negative(text: str) -> bool:
    """Tell whether a text is a number below zero, written with a decimal point."""
    return bool(_SIGNED.fullmatch(text))


def is_ambiguous(text: str, decimal_comma: bool, whole: bool) -> bool:
    """Tell whether a number may as well have separators of thousands as decimals.

    Parameters
    ----------
    text : str
        As it stands in the table.
    decimal_comma : bool
        Whether the table has decimal commas.
    whole : bool
        Whether a whole number is wanted; then a group of three is never decimals.
    """
    if not _GROUPED.fullmatch(text):
        return False
    decimal = "," if decimal_comma else "."
    return whole or decimal not in text or text.count(decimal) > 1


def digits(text: str) -> str | None:
    """Give the digits of a whole number; None where it is none."""
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else None


def ungrouped(text: str) -> str:
    """Give a number without its separators of thousands."""
    return re.sub("[., '’]", "", text)


def meant_as_count(text: str, patients: str) -> str:
    """Say what to write for a text that is no count.

    Parameters
    ----------
    text : str
        As it stands in the table.
    patients : str
        The same row's number of patients, as it stands there.

    Returns
    -------
    str
        What to write instead.
    """
    n = int(patients) if patients.isascii() and patients.isdigit() and len(patients) < 8 else 0
    if percent := _PERCENT.fullmatch(text):
        share = float(percent[1].replace(",", ".")) / 100
        return _of_patients(share, n, "a percentage")
    if _SHARE.fullmatch(text):
        return _of_patients(float("0" + text.lstrip("0").replace(",", ".")), n, "a share")
    if fraction := _FRACTION.fullmatch(text):
        return f"write {fraction[1]} here, and {fraction[2]} in n"
    if beside := _WITH_PERCENT.fullmatch(text):
        return f"write {beside[1]} alone"
    if _DATE.fullmatch(text):
        return "a spreadsheet made a date of what was typed: write the number, in a cell of text"
    return "write digits, such as 12"


def _of_patients(share: float, n: int, called: str) -> str:
    if not n or share > 1:
        return "write how many patients that is, in digits"
    return (
        f"{called} of {numbered(n, 'patient')} is {share * n:.3g}: write {share * n:.0f} if "
        "that is the count"
    )
