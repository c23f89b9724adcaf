"""How a number with a sign is written."""

from __future__ import annotations

MINUS = "−"


def fixed(value: float, digits: int, plus: bool = False) -> str:
    """Write a number with so many decimals, and a true minus sign.

    Parameters
    ----------
    value : float
        The number.
    digits : int
        Decimals.
    plus : bool
        Whether numbers that are not negative get a plus sign.

    Returns
    -------
    str
        What is rounded to zero is never negative.
    """
    return f"{value:{'+' if plus else '-'}z.{digits}f}".replace("-", MINUS)
