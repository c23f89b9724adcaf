"""The guard's error rates as the certificate of this version has them, for others to quote."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import pandas as pd

from .shares import in_words

#: Two dozen studies of the sizes of the shipped ones, and what was wrong with them.
_FEW = "core studies"
_MOVED = "one study moved three log-odds to the other side"
_SPLIT = "half the diseases two log-odds above the others, default pooling"


@lru_cache(maxsize=1)
def error_rates() -> pd.DataFrame:
    """Give how often the guard failed or remarked on made data sets, one row a kind.

    Returns
    -------
    pandas.DataFrame
        ``data``, ``defect``, ``engine``, ``pooling``, ``sets``; the shares ``fail`` and
        ``warn_or_fail`` with Wilson's 95 % interval (``_low``, ``_high``); ``coverage`` of 95 %
        intervals of ``new_study``. As `mscpool calibrate` writes them to calibration.csv.
    """
    with files(__package__).joinpath("calibration.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)


def power_of_few_studies() -> str:
    """Say how seldom the guard notices a study that is wrong, among two dozen small ones."""
    rates = error_rates()
    few = rates[rates["data"] == _FEW].set_index("defect").to_dict("index")
    moved, split = few[_MOVED], few[_SPLIT]
    return (
        "Of data sets of two dozen small studies, one of which was moved by three log-odds, the "
        f"guard failed {in_words(moved, 'fail')} and remarked on "
        f"{in_words(moved, 'warn_or_fail')}. Where half the diseases lie two log-odds above the "
        f"others it failed {in_words(split, 'fail')}: partial pooling expects diseases to differ."
    )
